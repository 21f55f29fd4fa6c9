// Arguments: what is refused, with which words, and how values cross.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'

import { ChatTemplate, Generation, Model, RkchatError, Runtime, Tokenizer } from 'rkchat'

import { ENDLESS, QUESTION, failing, received, script, scripted, typeError } from './helpers.mjs'

/** Shows what a template variable became. */
const show = (x) => ChatTemplate.fromSource('{{ x | tojson }}').render(QUESTION, { variables: { x } })

test('handles have no public constructor', () => {
  for (const handle of [ChatTemplate, Generation, Model, Runtime, Tokenizer]) {
    assert.throws(() => new handle(), typeError(/has no public constructor/))
    assert.throws(() => new handle({}), typeError(/has no public constructor/))
  }
})

test('methods refuse another object as this', async (t) => {
  const model = await scripted(t, { pieces: ['x'] })
  assert.throws(() => model.info.call({}), TypeError)
  assert.throws(() => Model.prototype.render.call(ChatTemplate.fromSource('x'), QUESTION), TypeError)
})

test('arguments of the wrong type are a TypeError that names them', async (t) => {
  const template = ChatTemplate.fromSource('{{ messages[0].content }}')
  const model = await scripted(t, { pieces: ['x'] })
  assert.throws(() => ChatTemplate.fromSource(7), typeError(/^source must be a string, got a number$/))
  assert.throws(() => template.render(), typeError(/^messages must be JSON data, got undefined$/))
  assert.throws(() => template.render(() => {}), typeError(/^messages must be JSON data, got a function$/))
  assert.throws(() => template.render(QUESTION, 7), typeError(/^options must be an object, got a number$/))
  assert.throws(() => template.render(QUESTION, []), typeError(/^options must be an object, got an array$/))
  assert.throws(() => template.render(QUESTION, { addGenerationPrompt: 1 }), typeError(/^options\.addGenerationPrompt must be a boolean, got a number$/))
  assert.throws(() => template.encode(QUESTION, {}), typeError(/^tokenizer must be a Tokenizer, got an object$/))
  assert.throws(() => template.encode(QUESTION, model), typeError(/^tokenizer must be a Tokenizer/))
  assert.throws(() => template.encode(QUESTION, null), typeError(/^tokenizer must be a Tokenizer, got null$/))
  assert.throws(() => model.complete(5), typeError(/^ids must be an array, got a number$/))
  assert.throws(() => model.complete([1, '2']), typeError(/^ids\[1\] must be a number, got a string$/))
  assert.throws(() => model.generate(QUESTION, { topK: 1n }), typeError(/^options\.topK must be a number, got a BigInt$/))
  assert.throws(() => model.generate(QUESTION, { signal: {} }), typeError(/^options\.signal must be an AbortSignal$/))
  await assert.rejects(Model.open(), typeError(/^path must be a string or a file URL, got undefined$/))
  await assert.rejects(Model.open({}), typeError(/^path must be a string or a file URL, got an object$/))
  await assert.rejects(Model.open(new URL('https://example.org/m.gguf')), typeError(/file/))
})

test('an unknown option is a TypeError that names the one that was meant', async (t) => {
  const model = await scripted(t, { pieces: ['x'] })
  const refused = (options, pattern) => assert.throws(() => model.generate(QUESTION, options), typeError(pattern))
  refused({ max_new_tokens: 5 }, /no field "max_new_tokens"; did you mean "maxNewTokens"\?/)
  refused({ maxTokens: 5 }, /no field "maxTokens"; rkchat calls it "maxNewTokens"$/)
  refused({ max_tokens: 5 }, /no field "max_tokens"; rkchat calls it "maxNewTokens"$/)
  refused({ repetitionPenalty: 1 }, /rkchat calls it "repeatPenalty"$/)
  refused({ stop: ['x'] }, /rkchat calls it "stopStrings"$/)
  refused({ temprature: 1 }, /did you mean "temperature"\?/)
  refused({ xyzzy: undefined }, /no field "xyzzy"$/)
  await assert.rejects(Model.open('x', { contextLength: 1 }), typeError(/no field "contextLength"; rkchat calls it "maxContextLen"$/))
})

test('numbers out of range are INVALID_ARGUMENT and name the field', async (t) => {
  const model = await scripted(t, { pieces: ['x'] })
  const refused = (options, pattern) =>
    assert.throws(() => model.generate(QUESTION, options), failing('INVALID_ARGUMENT', pattern))
  refused({ maxNewTokens: 1.5 }, /options\.maxNewTokens must be a whole number, got 1\.5/)
  refused({ maxNewTokens: NaN }, /whole number/)
  refused({ maxNewTokens: Infinity }, /whole number/)
  refused({ maxNewTokens: -1 }, /from 0 to 4294967295, got -1/)
  refused({ maxNewTokens: 0 }, /^`maxNewTokens` is 0; allowed are 1 to 1048576$/)
  refused({ topK: 2 ** 40 }, /options\.topK/)
  refused({ topP: 1.5 }, /^`topP` is 1\.5; allowed are 0 to 1$/)
  refused({ temperature: NaN }, /temperature/)
  refused({ queueTimeout: -1 }, /options\.queueTimeout must be a number of milliseconds/)
  refused({ queueTimeout: Infinity }, /options\.queueTimeout/)
  assert.throws(() => model.complete([1, -2]), failing('INVALID_ARGUMENT', /ids\[1\] must be from 0 to/))
})

test('undefined and null options are unset', async (t) => {
  const model = await scripted(t, { pieces: ['x'] })
  const options = { maxNewTokens: undefined, topK: null, tools: undefined, signal: undefined }
  assert.equal((await model.generate(QUESTION, options).completion()).text, 'x')
  assert.equal((await model.generate(QUESTION, null).completion()).text, 'x')
})

test('options reach the runtime', async (t) => {
  const path = script(t, { pieces: ['x'] })
  const model = await scripted(t, path, { maxContextLen: 1000, topK: 7, repeatPenalty: 1.25 })
  await model.generate(QUESTION, { topK: 3, topP: 0.5, temperature: 0.25 }).completion()
  const [init] = received(path, 'init')
  assert.deepEqual([init.max_context_len, init.sampling.top_k, init.sampling.repeat_penalty], [1000, 7, 1.25])
  const [run] = received(path, 'run')
  assert.deepEqual([run.sampling.top_k, run.sampling.top_p, run.sampling.temperature], [3, 0.5, 0.25])
})

test('text and ids reach the runtime as they are', async (t) => {
  const path = script(t, { pieces: ['x'] })
  // A runtime before 1.2 has no template of its own, so without a tokenizer text goes as text.
  const model = await scripted(t, path, { group: '1.1.0' })
  const text = 'a\tb é 東京 👩‍👩‍👧\n'
  for (const prompt of [text, [5, 6, 7], new Uint32Array([8, 9])]) {
    await model.complete(prompt).completion()
  }
  assert.deepEqual(received(path, 'run').map((run) => run.input), [text, [5, 6, 7], [8, 9]])
  assert.throws(() => model.complete('a\0b'), failing('INVALID_ARGUMENT', /NUL/))
  assert.throws(() => model.complete(''), failing('INVALID_ARGUMENT', /empty/))
  assert.throws(() => model.complete([]), failing('INVALID_ARGUMENT', /no tokens/))
})

test('half of a surrogate pair is refused, wherever it stands', async (t) => {
  const template = ChatTemplate.fromSource('{{ messages[0].content }}')
  const half = '👍'.slice(0, 1)
  assert.throws(() => ChatTemplate.fromSource(`ab${half}`), failing('INVALID_ARGUMENT', /source is not valid Unicode: .*\\ud83d, stands alone at index 2/))
  assert.throws(() => template.render([{ role: 'user', content: half }]), failing('INVALID_ARGUMENT', /messages\[0\]\.content/))
  assert.throws(() => template.render(QUESTION, { variables: { a: { b: [half] } } }), failing('INVALID_ARGUMENT', /options\.variables\.a\.b\[0\]/))
  assert.throws(() => template.render(half), failing('INVALID_ARGUMENT', /stands alone in messages$/))
  await assert.rejects(Model.open(`/tmp/${half}`), failing('INVALID_ARGUMENT', /path is not valid Unicode/))
  assert.equal(template.render([{ role: 'user', content: '👍' }]), '👍')
})

test('JSON keeps the order of keys, and integers apart from floats', () => {
  assert.equal(show({ b: 1, a: 2 }), '{"b": 1, "a": 2}')
  assert.equal(show([1, 1.5, -0, 2 ** 53, 1e21, true, null]), '[1, 1.5, 0, 9007199254740992, 1e+21, true, null]')
})

test('JSON is what JSON.stringify makes of it', () => {
  assert.equal(show({ a: undefined, b: () => {}, c: [undefined] }), '{"c": [null]}')
  assert.equal(show(new Date(0)), '"1970-01-01T00:00:00.000Z"')
  assert.equal(show({ toJSON: () => ({ a: 1 }) }), '{"a": 1}')
  assert.equal(show([NaN, Infinity]), '[null, null]')
})

test('JSON that cannot be written is a TypeError, and what getters throw comes through', () => {
  const cyclic = {}
  cyclic.self = cyclic
  assert.throws(() => show(cyclic), typeError(/circular/i))
  assert.throws(() => show(1n), typeError(/BigInt/))
  const own = new RangeError('mine')
  const thrower = { get a() { throw own } }
  assert.throws(() => show(thrower), (error) => error === own)
  const template = ChatTemplate.fromSource('x')
  assert.throws(() => template.render(QUESTION, { get tools() { throw own } }), (error) => error === own)
  let deep = []
  for (let level = 0; level < 1000; level++) deep = [deep]
  assert.throws(() => show(deep), failing('INVALID_ARGUMENT', /options\.variables is nested too deeply/))
})

test('a path may be a file URL', async (t) => {
  const model = await scripted(t, pathToFileURL(script(t, { pieces: ['x'] })))
  assert.equal((await model.complete([1]).completion()).text, 'x')
})

test('times are milliseconds', async (t) => {
  const model = await scripted(t, ENDLESS)
  const running = model.complete([1])
  const began = performance.now()
  await assert.rejects(model.complete([2], { queueTimeout: 150 }).completion(), failing('TIMEOUT'))
  const took = performance.now() - began
  assert.ok(took >= 140 && took < 5000, `${took} ms`)
  running.cancel()
})

test('an error is an ordinary Error with a code and details', async () => {
  const error = await Model.open('/no/such/model').catch((error) => error)
  assert.ok(error instanceof RkchatError && error instanceof Error)
  assert.equal(error.code, 'NOT_FOUND')
  assert.equal(error.details.path, '/no/such/model')
  assert.match(String(error), /^RkchatError: .*\/no\/such\/model/)
  assert.throws(() => ChatTemplate.fromSource('{{'), (error) => /arguments\.test\.mjs/.test(error.stack))
})
