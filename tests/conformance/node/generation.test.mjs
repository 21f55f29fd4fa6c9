// Generations: streaming, cancelling, waiting, failing. A scripted runtime stands for a vendor library.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { Generation } from 'rkchat'

import { ENDLESS, QUESTION, TOKEN_GROUPS, failing, read, received, script, scripted, sleep, typeError } from './helpers.mjs'

const HELLO = { pieces: [['Hel', 5], ['lo', 6], { hex: 'f09f', id: 7 }, { hex: '918b', id: 8 }], delay_ms: 2 }

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc')

for (const group of TOKEN_GROUPS) {
  test(`an answer streams in whole characters (${group})`, async (t) => {
    const model = await scripted(t, HELLO, { group })
    const generation = model.complete([1, 2, 3])
    assert.ok(generation instanceof Generation)
    assert.equal(generation.finishReason(), undefined)
    assert.equal(await read(generation), 'Hello👋')
    assert.equal(generation.finishReason(), 'stop')
    const answer = await generation.completion()
    assert.equal(answer.text, 'Hello👋')
    assert.deepEqual(answer.tokenIds, [5, 6, 7, 8])
    assert.equal(answer.finishReason, 'stop')
    assert.equal(answer.usage.promptTokens, 3)
    assert.equal(answer.timings.queued >= 0, true)
    assert.deepEqual(answer.warnings, [])
    assert.deepEqual(await generation.next(), { value: undefined, done: true })
  })

  test(`leaving the loop cancels, and the model goes on (${group})`, async (t) => {
    const model = await scripted(t, ENDLESS, { group })
    const generation = model.complete([1])
    let pieces = 0
    for await (const chunk of generation) {
      assert.equal(chunk.text, 'la ')
      if (++pieces === 3) break
    }
    assert.equal(generation.finishReason(), 'cancelled')
    const answer = await generation.completion()
    assert.equal(answer.finishReason, 'cancelled')
    assert.ok(answer.text.startsWith('la la la '))
    assert.deepEqual(await generation.next(), { value: undefined, done: true })

    const second = model.complete([1], { maxNewTokens: 4 })
    assert.equal(await read(second), 'la la la la ')
    assert.equal(second.finishReason(), 'length')
  })
}

test('what was not read is dropped by cancel', async (t) => {
  const model = await scripted(t, ENDLESS)
  const generation = model.complete([1])
  await generation.next()
  assert.equal(await generation.wait(50), false)
  generation.cancel()
  generation.cancel()
  assert.deepEqual(await generation.next(), { value: undefined, done: true })
  assert.ok((await generation.completion()).text.length > 'la '.length)
})

test('a wait for the end does not eat the pieces', async (t) => {
  const model = await scripted(t, HELLO)
  const generation = model.complete([1])
  const [answer, ended] = await Promise.all([generation.completion(), generation.wait()])
  assert.equal(ended, true)
  assert.equal(answer.text, 'Hello👋')
  assert.equal(await read(generation), 'Hello👋')
})

test('awaiting gives the text, and text is a promise of it', async (t) => {
  const model = await scripted(t, HELLO)
  assert.equal(await model.complete([1]), 'Hello👋')
  assert.equal(await model.complete([1]).text, 'Hello👋')
  assert.deepEqual(await Promise.all([model.complete([1]), model.complete([1])]), ['Hello👋', 'Hello👋'])
  assert.equal(await model.complete([1]).then((text) => text.length), 7)
  const kept = await (async () => model.complete([1]))()
  assert.equal(kept, 'Hello👋')
})

test('the text is whole and leaves the pieces, however many were read', async (t) => {
  const model = await scripted(t, HELLO)
  const generation = model.complete([1])
  assert.equal((await generation.next()).value.text, 'Hel')
  assert.equal(await generation, 'Hello👋')
  assert.equal(await read(generation), 'lo👋')
  assert.equal(await generation, 'Hello👋')
  assert.equal(generation.finishReason(), 'stop')
})

test('awaiting rejects with what failed, and ends where the answer is cancelled', async (t) => {
  const failed = (await scripted(t, { pieces: ['a'], run: 'error_after' })).complete([1])
  await assert.rejects(failed.text, failing('RUNTIME_FAILED'))
  await assert.rejects(async () => await failed, failing('RUNTIME_FAILED'))
  assert.equal(await failed.then(undefined, (error) => error.code), 'RUNTIME_FAILED')
  const aborter = new AbortController()
  const endless = (await scripted(t, ENDLESS)).complete([1], { signal: aborter.signal })
  setTimeout(() => aborter.abort(), 50)
  assert.match(await endless, /^(la )+$/)
  assert.equal(endless.finishReason(), 'cancelled')
})

test('several readers share the pieces, none comes twice', async (t) => {
  const model = await scripted(t, { pieces: ['a', 'b', 'c', 'd', 'e', 'f'], delay_ms: 3 })
  const generation = model.complete([1])
  const texts = await Promise.all([read(generation), read(generation), read(generation)])
  assert.equal(texts.join('').split('').sort().join(''), 'abcdef')
})

test('next gives up after its timeout, and the answer goes on', async (t) => {
  const model = await scripted(t, { pieces: ['late'], prefill_ms: 300 })
  const generation = model.complete([1])
  await assert.rejects(generation.next(0), failing('TIMEOUT'))
  await assert.rejects(generation.next(20), failing('TIMEOUT'))
  assert.equal(await generation.wait(0), false)
  assert.deepEqual((await generation.next(2 ** 40)).value.text, 'late')
  await assert.rejects(generation.next(-1), typeError(/^timeout must be a number of milliseconds/))
  await assert.rejects(generation.next('1'), typeError(/^timeout/))
  await assert.rejects(generation.wait(NaN), typeError(/^timeout/))
})

test('an AbortSignal cancels', async (t) => {
  const model = await scripted(t, ENDLESS)
  const aborter = new AbortController()
  const generation = model.complete([1], { signal: aborter.signal })
  let pieces = 0
  for await (const _ of generation) {
    if (++pieces === 2) aborter.abort()
  }
  assert.equal(generation.finishReason(), 'cancelled')
  assert.ok(pieces < 10)

  const aborted = model.generate(QUESTION, { signal: AbortSignal.abort() })
  assert.equal(await read(aborted), '')
  assert.equal((await aborted.completion()).finishReason, 'cancelled')

  const late = model.complete([1], { signal: AbortSignal.timeout(50) })
  assert.equal((await late.completion()).finishReason, 'cancelled')
})

test('an AbortSignal forgets generations that are over', async (t) => {
  const model = await scripted(t, { pieces: ['x'] })
  const { signal } = new AbortController()
  let listeners = 0
  const { addEventListener, removeEventListener } = signal
  signal.addEventListener = (...rest) => (listeners++, addEventListener.apply(signal, rest))
  signal.removeEventListener = (...rest) => (listeners--, removeEventListener.apply(signal, rest))
  for (let index = 0; index < 5; index++) {
    await read(model.complete([1], { signal }))
  }
  const cancelled = model.complete([1], { signal })
  assert.equal(listeners, 1)
  cancelled.cancel()
  assert.equal(listeners, 0)
})

test('cancel before the first piece', async (t) => {
  const model = await scripted(t, { pieces: ['x'], prefill_ms: 200 })
  const generation = model.complete([1])
  generation.cancel()
  assert.equal(await read(generation), '')
  assert.equal((await generation.completion()).finishReason, 'cancelled')
  assert.equal(await read(model.complete([1])), 'x')
})

test('dispose cancels a generation and closes a model', async (t) => {
  const model = await scripted(t, ENDLESS)
  const [one, two] = [model.complete([1]), model.complete([1])]
  one[Symbol.dispose]()
  await two[Symbol.asyncDispose]()
  assert.deepEqual([one.finishReason(), two.finishReason()], ['cancelled', 'cancelled'])
  await model[Symbol.asyncDispose]()
  assert.throws(() => model.complete([1]), failing('CLOSED'))
})

test('letting go of a generation cancels it', async (t) => {
  const path = script(t, ENDLESS)
  const model = await scripted(t, path)
  const { signal } = new AbortController()
  await (async () => {
    await model.complete([1], { signal }).next()
  })()
  // The next request waits for as long as the endless one goes on.
  const next = model.complete([2], { maxNewTokens: 2 })
  for (let round = 0; round < 200 && next.finishReason() === undefined; round++) {
    collectGarbage()
    await sleep(10)
  }
  assert.equal(next.finishReason(), 'length')
  assert.equal(received(path, 'run').length, 2)
})

test('a full queue is BUSY', async (t) => {
  const model = await scripted(t, ENDLESS, { maxQueue: 1 })
  const running = model.complete([1])
  await running.next()
  const waiting = model.complete([2])
  assert.throws(() => model.complete([3]), failing('BUSY', /1/))
  waiting.cancel()
  running.cancel()
})

test('a failure of the runtime comes after what it had produced', async (t) => {
  const model = await scripted(t, { pieces: ['a', 'b'], run: 'error_after' })
  const generation = model.complete([1])
  let text = ''
  await assert.rejects(async () => {
    for await (const chunk of generation) text += chunk.text
  }, failing('RUNTIME_FAILED'))
  assert.equal(text, 'ab')
  assert.equal(generation.finishReason(), 'error')
  await assert.rejects(generation.completion(), failing('RUNTIME_FAILED'))
  assert.equal(await generation.wait(), true)
})

test('a failure that nobody waits for is not an unhandled rejection', async (t) => {
  const model = await scripted(t, { run: 'fail' })
  const generation = model.complete([1])
  assert.equal(await generation.wait(5000), true)
  await assert.rejects(generation.next(), failing('RUNTIME_FAILED'))
})

test('waiting does not occupy the threads of the pool', async (t) => {
  const model = await scripted(t, ENDLESS)
  // More than the pool has.
  const generations = Array.from({ length: 10 }, () => model.complete([1]))
  const answers = generations.map((generation) => generation.completion())
  const texts = generations.map((generation) => generation.text)
  const began = performance.now()
  await readFile(new URL(import.meta.url))
  assert.ok(performance.now() - began < 1000)
  generations.forEach((generation) => generation.cancel())
  const reasons = (await Promise.all(answers)).map((answer) => answer.finishReason)
  assert.deepEqual([...new Set(reasons)], ['cancelled'])
  for (const text of await Promise.all(texts)) assert.match(text, /^(la )*$/)
})

test('the event loop turns while a generation runs', async (t) => {
  const model = await scripted(t, { ...ENDLESS, delay_ms: 20 })
  const generation = model.complete([1])
  let ticks = 0
  const timer = setInterval(() => ticks++, 1)
  for (let pieces = 0; pieces < 5; pieces++) await generation.next()
  clearInterval(timer)
  generation.cancel()
  assert.ok(ticks > 20, `${ticks} ticks`)
})

test('close ends what runs and what waits, and only info answers afterwards', async (t) => {
  const model = await scripted(t, ENDLESS)
  const [running, waiting] = [model.complete([1]), model.complete([2])]
  await running.next()
  await Promise.all([model.close(), model.close()])
  assert.deepEqual([running.finishReason(), waiting.finishReason()], ['cancelled', 'cancelled'])
  assert.equal(await read(running), '')
  for (const call of [
    () => model.complete([1]),
    () => model.generate(QUESTION),
    () => model.render(QUESTION),
    () => model.encode('x'),
    () => model.decode([1]),
  ]) {
    assert.throws(call, failing('CLOSED'))
  }
  assert.equal(model.info().runtime.abiGroup, '1.3.0')
  await model.close()
})

test('a generation outlives the reference to its model', async (t) => {
  const path = script(t, HELLO)
  const { Model } = await import('rkchat')
  const { scriptedRuntime } = await import('./helpers.mjs')
  // A promise for the generation itself would be one for its text.
  const { generation } = await (async () => {
    const model = await Model.open(path, { runtime: scriptedRuntime('1.3.0'), abi: '1.3.0' })
    return { generation: model.complete([1]) }
  })()
  collectGarbage()
  assert.equal(await read(generation), 'Hello👋')
})
