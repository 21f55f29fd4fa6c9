// Opening models: what is refused, and a real model on the CPU runtime.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { Model } from 'rkchat'

import { GROUPS, QUESTION, ROOT, SMOLLM2, TWO_GROUPS, cpuRuntime, failing, folder, lacking, read } from './helpers.mjs'

const GREEDY = { topK: 1, repeatPenalty: 1 }
const skip = lacking(SMOLLM2)

/** The first bytes of the real model. */
function beginning(bytes) {
  const buffer = Buffer.alloc(bytes)
  const file = openSync(SMOLLM2)
  readSync(file, buffer)
  closeSync(file)
  return buffer
}

for (const group of GROUPS) {
  test(`a short question has the same answer everywhere (${group})`, { skip }, async (t) => {
    const model = await Model.open(SMOLLM2, { ...GREEDY, runtime: cpuRuntime(group), maxContextLen: 64 })
    t.after(() => model.close())
    const { input, runtime } = model.info()
    assert.deepEqual([runtime.name, runtime.abiGroup], ['rkchat-cpu', group])
    const messages = [{ role: 'system', content: 'You are a helpful assistant.' }, ...QUESTION]
    const answer = await model.generate(messages, { maxNewTokens: 16 }).completion()
    assert.deepEqual([answer.text, answer.finishReason], ['The capital of France is Paris.', 'stop'])
    if (group.startsWith('1.0.')) {
      assert.deepEqual([input, answer.tokenIds], ['text', []])
    } else {
      assert.deepEqual([input, model.decode(answer.tokenIds)], ['tokens', answer.text])
    }
  })
}

for (const group of TWO_GROUPS) {
  test(`answers, is stopped, and goes on (${group})`, { skip }, async (t) => {
    const open = () => Model.open(SMOLLM2, { ...GREEDY, runtime: cpuRuntime(group) })
    const model = await open()
    t.after(() => model.close())
    const info = model.info()
    assert.deepEqual([info.path, info.input, info.runtime.name, info.runtime.abiGroup], [SMOLLM2, 'tokens', 'rkchat-cpu', group])

    const generation = model.generate(QUESTION, { maxNewTokens: 24 })
    const text = await read(generation)
    const answer = await generation.completion()
    assert.equal(answer.text, text)
    assert.ok(text.length > 0)
    assert.equal(model.decode(answer.tokenIds), text)
    assert.equal(answer.usage.promptTokens, model.encode(model.render(QUESTION, { addGenerationPrompt: true }), { addSpecialTokens: false }).length)

    for await (const _ of model.generate([{ role: 'user', content: 'Tell me a long story.' }])) break
    const again = await (await open()).generate(QUESTION, { maxNewTokens: 24 }).completion()
    assert.equal(again.text, text)
    assert.ok((await model.generate(QUESTION, { maxNewTokens: 4 }).completion()).text.length > 0)
  })

  test(`a prompt that does not fit is CONTEXT_OVERFLOW with both counts (${group})`, { skip }, async (t) => {
    const model = await Model.open(SMOLLM2, { runtime: cpuRuntime(group), maxContextLen: 64 })
    t.after(() => model.close())
    assert.equal(model.info().maxContextLen, 64)
    const long = [{ role: 'user', content: 'word '.repeat(100) }]
    assert.throws(() => model.generate(long), (error) => {
      failing('CONTEXT_OVERFLOW')(error)
      assert.ok(error.details.prompt_tokens > 100)
      assert.equal(error.details.max_context_len, 64)
      return true
    })
    assert.throws(() => model.generate([]), failing('INVALID_ARGUMENT', /empty/))
  })
}

test('the runtime of the package is found by itself', { skip }, async (t) => {
  const model = await Model.open(SMOLLM2)
  t.after(() => model.close())
  assert.equal(model.info().runtime.name, 'rkchat-cpu')
})

test('a model can be a folder', { skip }, async (t) => {
  const path = folder(t)
  symlinkSync(SMOLLM2, join(path, 'model.gguf'))
  const model = await Model.open(path)
  t.after(() => model.close())
  assert.equal(model.info().path, join(path, 'model.gguf'))
})

test('what is no model is refused', async (t) => {
  await assert.rejects(Model.open('/no/such/file.gguf'), failing('NOT_FOUND', /\/no\/such\/file\.gguf/))
  await assert.rejects(Model.open(folder(t, { 'notes.txt': '' })), failing('NOT_FOUND', /notes\.txt/))
  const several = folder(t, { 'a.gguf': '', 'b.gguf': '' })
  await assert.rejects(Model.open(several), failing('INVALID_ARGUMENT', /a\.gguf.*b\.gguf/))
  const files = folder(t, { 'foreign.gguf': 'PK\x03\x04 no GGUF at all', 'empty.gguf': '', 'empty.rkllm': '' })
  for (const name of ['foreign.gguf', 'empty.gguf', 'empty.rkllm']) {
    await assert.rejects(Model.open(join(files, name), { runtime: cpuRuntime('1.3.0') }), failing('INVALID_MODEL'))
  }
  await assert.rejects(Model.open('a\0b'), failing('INVALID_ARGUMENT', /path has a NUL character at byte 1/))
})

test('a truncated model is refused', { skip }, async (t) => {
  for (const bytes of [20, 100_000, 4_000_000]) {
    const path = join(folder(t, { 'model.gguf': beginning(bytes) }), 'model.gguf')
    await assert.rejects(Model.open(path), failing('INVALID_MODEL'))
  }
})

test('a .rkllm file does not go to the CPU runtime', async (t) => {
  const path = join(folder(t, { 'model.rkllm': 'not public' }), 'model.rkllm')
  await assert.rejects(Model.open(path, { runtime: cpuRuntime('1.3.0') }), failing('RUNTIME_MISMATCH'))
})

test('a context window beyond the model comes down to it, or is refused', { skip }, async (t) => {
  const model = await Model.open(SMOLLM2, { maxContextLen: 100_000 }).catch((error) => error)
  if (model instanceof Model) {
    t.after(() => model.close())
    assert.ok(model.info().maxContextLen < 100_000)
  } else {
    failing('INVALID_ARGUMENT', /100000/)(model)
  }
})

test('the examples run', { skip }, () => {
  const run = (name, ...rest) => {
    const program = join(ROOT, 'examples/node', name)
    const command = [program, SMOLLM2, 'Say hi.', '--greedy', '--max-new-tokens', '12', ...rest]
    return execFileSync(process.execPath, command, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }
  const chat = run('chat.mjs', '--runtime', cpuRuntime('1.3.0'))
  assert.match(chat, /^.+\n$/s)
  const [story, rest] = run('cancel.mjs').split('\n[cancelled]\n')
  assert.ok(story.length > 0)
  assert.ok(rest.length > 1 && rest.endsWith('\n'))
})
