// Embeddings, logits, scores, adapters and prompt caches.

import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { Model, RkchatError } from 'rkchat'

import { ROOT, SMOLLM2, TOKEN_GROUPS, TWO_GROUPS, cpuRuntime, folder, lacking, received, script, scripted } from './helpers.mjs'

const tokenizer = join(ROOT, 'tests/fixtures/words/tokenizer.json')
const cases = readFileSync(join(ROOT, 'tests/vectors/numbers.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line))
const skip = lacking(SMOLLM2)

/** Which of them were run. */
const ran = new Set()
// What tests/run.py compares with the file.
after(() => console.log(`vectors numbers.jsonl: ${ran.size}`))

const fails = (code) => (error) => error instanceof RkchatError && error.code === code
/** `InvalidArgument` to `INVALID_ARGUMENT`. */
const codeOf = (kind) => kind.replace(/(?<=[a-z])[A-Z]/g, '_$&').toUpperCase()

for (const group of TOKEN_GROUPS) {
  test(`the shared vectors (${group})`, async (t) => {
    const model = await scripted(t, { pieces: [['x', 1]] }, { group, tokenizer })
    for (const { id, call, input, options, shape, data, error } of cases) {
      const given = () => model[call](input, options)
      if (group === '1.1.0' && call !== 'embed') {
        await assert.rejects(given, (error) => fails('UNSUPPORTED')(error) && error.details.since === '1.2.0', id)
      } else if (error) {
        await assert.rejects(given, fails(codeOf(error)), id)
      } else {
        const tensor = await given()
        assert.ok(tensor.data instanceof Float32Array, id)
        assert.deepEqual(tensor.shape, shape, id)
        assert.equal(tensor.data.length, data.length, id)
        tensor.data.forEach((value, index) => assert.ok(Math.abs(value - data[index]) < 1e-6, `${id}: ${tensor.data}`))
      }
      ran.add(id)
    }
  })
}

for (const group of TWO_GROUPS) {
  test(`a real model's embeddings and prompt caches (${group})`, { skip }, async (t) => {
    const model = await Model.open(SMOLLM2, { runtime: cpuRuntime(group), maxContextLen: 256, topK: 1, repeatPenalty: 1 })
    t.after(() => model.close())
    const { data, shape } = await model.embed(['The cat sleeps.', 'A cat is sleeping.', 'Stocks fell.'], { pooling: 'mean' })
    assert.deepEqual(shape, [3, 576])
    const row = (index) => data.subarray(index * 576, (index + 1) * 576)
    const dot = (a, b) => a.reduce((sum, value, index) => sum + value * b[index], 0)
    assert.ok(Math.abs(dot(row(0), row(0)) - 1) < 1e-5)
    assert.ok(dot(row(0), row(1)) > dot(row(0), row(2)))

    const path = folder(t)
    const system = [{ role: 'system', content: 'You are a helpful assistant.' }]
    const name = await model.savePromptCache(system, { folder: path, name: 'system' })
    assert.equal(name, 'system')
    const [cache] = await model.promptCaches({ folder: path })
    assert.deepEqual([cache.name, cache.loaded, cache.size], ['system', false, statSync(cache.path).size])
    await assert.rejects(model.loadPromptCache(name, { folder: path, prompt: 'another' }), fails('CACHE_MISMATCH'))
    await model.complete('Something else altogether', { maxNewTokens: 1 }).completion()
    await model.loadPromptCache(name, { folder: path, prompt: system })
    const question = [...system, { role: 'user', content: 'What is the capital of France?' }]
    const { usage } = await model.generate(question, { maxNewTokens: 4 }).completion()
    assert.ok(usage.reusedTokens > 8 && usage.reusedTokens < usage.promptTokens)
    await model.releasePromptCache()
  })
}

test('requests pick adapters by name', async (t) => {
  const path = script(t, { pieces: ['x'] })
  const model = await scripted(t, path)
  const file = join(folder(t, { 'polite.rkllm': 'an adapter' }), 'polite.rkllm')
  await model.loadAdapter(file, { scale: 0.5 })
  assert.deepEqual(model.adapters(), [{ name: 'polite', path: file, scale: 0.5 }])
  await model.complete([5], { adapter: 'polite' }).completion()
  assert.equal(received(path, 'run')[0].lora, 'polite')
  assert.throws(() => model.complete([5], { adapter: 'rude' }), fails('INVALID_ARGUMENT'))
})
