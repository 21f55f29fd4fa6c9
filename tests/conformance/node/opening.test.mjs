// A model that is opened in the background, looked at, unloaded, and loaded again.

import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { test } from 'node:test'

import { Model, Opening } from 'rkchat'

import { failing, folder, script, scriptedRuntime } from './helpers.mjs'

const IDS = [5, 6, 7]
const options = (group, more = {}) => ({ runtime: scriptedRuntime(group), abi: group, ...more })

test('an opening is waited for', async (t) => {
  const path = script(t, { pieces: ['yes'], init_ms: 400 })
  const opening = Opening.start(path, options('1.2.1'))
  assert.equal(await opening.wait(10), false)
  assert.ok(['recognising', 'tokenizer', 'loading'].includes(opening.progress().stage))
  assert.equal(await opening.wait(), true)
  const { stage, bytesTotal } = opening.progress()
  assert.deepEqual([stage, bytesTotal], ['ready', statSync(path).size])
  const model = await opening.model()
  t.after(() => model.close())
  assert.ok(model instanceof Model)
  assert.equal(await model.complete(IDS).text, 'yes')
})

test('an opening is given up, or fails', async (t) => {
  const opening = Opening.start(script(t, { init_ms: 200 }), options('1.1.0'))
  opening.cancel()
  assert.equal(await opening.wait(), true)
  await assert.rejects(opening.model(), failing('CLOSED', /given up/))
  const failed = Opening.start(script(t, { init: 'fail' }), options('1.1.0'))
  await assert.rejects(failed.model(), failing('RUNTIME_FAILED'))
  assert.equal(failed.progress().stage, 'failed')
})

test('a model is unloaded and loaded again', async (t) => {
  const path = script(t, { pieces: ['yes'] })
  const model = await Model.open(path, options('1.3.0', { warmup: true, keepAlive: 3_600_000 }))
  const status = model.status()
  assert.deepEqual([status.state, status.waiting, status.runningFor ?? null], ['ready', 0, null])
  assert.ok(status.loadedFor >= 0 && status.idleFor >= 0)
  assert.ok(Math.min(status.processMemory, status.availableMemory, status.modelMemory) > 0)
  await model.unload()
  assert.equal(model.status().state, 'unloaded')
  assert.equal(await model.complete(IDS).text, 'yes')
  assert.equal(model.status().state, 'ready')
  await model.close()
  assert.equal(model.status().state, 'closed')
  await assert.rejects(model.unload(), failing('CLOSED'))
})

test('memory is checked', async (t) => {
  const config = '{"num_hidden_layers": 100000, "num_attention_heads": 64, "head_dim": 4096}'
  const path = folder(t, { 'model.rkllm': '{"pieces": ["yes"]}', 'config.json': config })
  await assert.rejects(Model.open(path, options('1.1.0', { memoryCheck: 'error' })), failing('OUT_OF_MEMORY'))
  const model = await Model.open(path, options('1.1.0'))
  t.after(() => model.close())
  assert.ok(model.info().warnings.some(({ kind }) => kind === 'memory'))
})

test('whoever has the NPU is named', async (t) => {
  const before = process.env.RKCHAT_LOCK_DIR
  t.after(() => (process.env.RKCHAT_LOCK_DIR = before))
  process.env.RKCHAT_LOCK_DIR = folder(t)
  const model = await Model.open(script(t, { pieces: ['yes'] }), options('1.1.0'))
  const [holder, ...others] = model.npuHolders()
  assert.deepEqual([holder.pid, holder.models, others], [process.pid, 1, []])
  await model.close()
  assert.deepEqual(model.npuHolders(), [])
})
