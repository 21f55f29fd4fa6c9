// Tensors that go in: images, embeddings, an encoder's output; and batches.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'

import { ROOT, failing, received, script, scripted, typeError } from './helpers.mjs'

const SCRIPT = { pieces: [['one ', 1], ['two', 2]], hidden_size: 2 }
const tokenizer = join(ROOT, 'tests/fixtures/words/tokenizer.json')
const messages = [{ role: 'user', content: [{ type: 'image' }, { type: 'text', text: ' and?' }] }]
const tensor = (data, ...shape) => ({ data: new Float32Array(data), shape })

test('images go where their parts are', async (t) => {
  const path = script(t, SCRIPT)
  const model = await scripted(t, path, { imageStart: '<s>' })
  const images = tensor([0.5, 1, 2, 3, 4, 5], 1, 3, 2)
  const { text } = await model.generate(messages, { images, imageWidth: 448, imageHeight: 336 }).completion()
  assert.equal(text, 'one two')
  const [run] = received(path, 'run')
  assert.equal(run.input, '<image> and?')
  assert.deepEqual(run.images.values, [0.5, 1, 2, 3, 4, 5])
  assert.deepEqual(run.images.shape, [1, 3])
  assert.deepEqual(run.images.size, [448, 336])
  assert.deepEqual(run.images.markers, ['<s>', '', ''])
  assert.throws(() => model.generate(messages), failing('INVALID_ARGUMENT', /no embeddings/))
  const wrong = tensor([1, 2, 3], 1, 3, 2)
  assert.throws(() => model.generate(messages, { images: wrong }), failing('INVALID_ARGUMENT', /options\.images/))
})

test('embeddings are continued, and those that a model gave', async (t) => {
  const path = script(t, SCRIPT)
  const model = await scripted(t, path, { group: '1.1.0', tokenizer })
  const given = await model.embed(['the sea'])
  for (const [embeddings, tokens] of [[tensor([1, 2, 3, 4, 5, 6, 7, 8], 4, 2), 4], [given, 1]]) {
    const { usage } = await model.completeEmbeddings(embeddings).completion()
    assert.equal(usage.promptTokens, tokens)
  }
  for (const wrong of [[1, 2], 'ab', null, { data: [1, 2], shape: [1, 2] }, { data: new Float64Array(2), shape: [1, 2] },
    { data: new Float32Array(2) }]) {
    assert.throws(() => model.completeEmbeddings(wrong), typeError(/^embeddings/))
  }
  assert.throws(() => model.completeEmbeddings(tensor([1, NaN], 1, 2)), failing('INVALID_ARGUMENT', /NaN/))
})

test('an encoder is attended to', async (t) => {
  const path = script(t, SCRIPT)
  const model = await scripted(t, path, { useCrossAttn: true })
  await model.setCrossAttention(tensor([1, 2], 1, 2, 1, 1), tensor([3, 4], 1, 1, 1, 2), tensor([1, 0], 2), [0, 5])
  const [call] = received(path, 'set_cross_attn_params')
  assert.deepEqual([call.first, call.mask, call.positions], [[1, 3], [1, 0], [0, 5]])
})

test('a batch has an answer for each', async (t) => {
  const path = script(t, SCRIPT)
  const model = await scripted(t, path, { nBatch: 2, tokenizer })
  const completions = await model.generateBatch(['the sea', 'is wide', 'sea'], { maxNewTokens: 1 })
  assert.deepEqual(completions.map(({ finishReason }) => finishReason), ['length', 'length', 'length'])
  assert.equal(received(path, 'run').length, 2)
  assert.throws(() => model.complete('sea'), failing('UNSUPPORTED', /generate_batch/))
})

test('what a runtime lacks is named', async (t) => {
  for (const [option, since] of [[{ nKeep: 1 }, '1.2.0'], [{ nBatch: 2 }, '1.2.1'], [{ hostTokenizer: true }, '1.3.0']]) {
    const opened = scripted(t, SCRIPT, { group: '1.1.0', ...option })
    await assert.rejects(opened, (error) => failing('UNSUPPORTED')(error) && error.details.since === since)
  }
})
