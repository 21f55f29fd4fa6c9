// What older runtimes cannot, and what is taken for granted about them.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Model } from 'rkchat'

import {
  GROUPS, QUESTION, SMOLLM2, child, failing, lacking, places, read, received, script, scripted, scriptedRuntime,
} from './helpers.mjs'

const TEMPLATE = { chatTemplate: '{{ messages[-1].content }}' }
const [{ content: TEXT }] = QUESTION

for (const group of ['1.0.0', '1.0.1']) {
  test(`text goes in and comes out, and no ids (${group})`, async (t) => {
    const path = script(t, { pieces: ['a', { hex: 'f09f' }, { hex: '918b' }] })
    const model = await scripted(t, path, { group, ...TEMPLATE })
    assert.equal(model.info().input, 'text')
    const generation = model.generate(QUESTION)
    assert.equal(await read(generation), 'a👋')
    assert.deepEqual((await generation.completion()).tokenIds, [])
    await model.complete('é').completion()
    assert.deepEqual(received(path, 'run').map((run) => run.input), [TEXT, 'é'])
    assert.throws(() => model.complete([1, 2]), (error) => {
      failing('UNSUPPORTED', /take token ids; the first release that can is 1\.1\.0/)(error)
      assert.deepEqual(error.details, { capability: 'token_input', since: '1.1.0' })
      return true
    })
  })
}

test('1.0.0 cannot abort: the caller is free, and the run goes on', async (t) => {
  const what = { pieces: ['la '], repeat: 40, delay_ms: 5 }
  const model = await scripted(t, what, { group: '1.0.0', ...TEMPLATE })
  for await (const _ of model.generate(QUESTION)) break
  const limited = await model.generate(QUESTION, { maxNewTokens: 2 }).completion()
  assert.deepEqual([limited.text, limited.finishReason], ['la la ', 'length'])
  assert.equal((await model.generate(QUESTION).completion()).text, 'la '.repeat(40))
})

test('sampling per request is there from 1.3.0 on', async (t) => {
  for (const group of GROUPS) {
    const model = await scripted(t, { pieces: ['a'] }, { group, ...TEMPLATE })
    const { text, warnings } = await model.generate(QUESTION, { topK: 1 }).completion()
    const kinds = warnings.map((warning) => warning.kind)
    assert.deepEqual([text, kinds], ['a', group === '1.3.0' ? [] : ['fixed_sampling']])
    await model.close()
    if (group === '1.3.0') continue
    const strict = await scripted(t, { pieces: ['a'] }, { group, ...TEMPLATE, fixedSampling: 'error' })
    assert.throws(() => strict.generate(QUESTION, { topK: 1 }), failing('UNSUPPORTED', /`topK` is 40 and not 1/))
    await strict.close()
  }
})

test('releases before 1.2.2 hold one model in a process, unless it is assumed that they hold many', async (t) => {
  for (const group of GROUPS.slice(0, 5)) {
    const first = await scripted(t, { pieces: ['a'] }, { group })
    const path = script(t, { pieces: ['b'] })
    const options = { runtime: scriptedRuntime(group), abi: group, ...TEMPLATE }
    const refused = (error) => {
      failing('UNSUPPORTED', /first release that can is 1\.2\.2.*"instances": "many"/)(error)
      assert.deepEqual(error.details, { capability: 'several_models', since: '1.2.2' })
      return true
    }
    // Also the second time: a refusal leaves the first model where it is.
    for (let time = 0; time < 2; time++) await assert.rejects(Model.open(path, options), refused)
    const second = await Model.open(path, { ...options, assume: { instances: 'many' } })
    assert.equal((await second.generate(QUESTION).completion()).text, 'b')
    await second.close()
    await first.close()
    await (await Model.open(path, options)).close()
  }
  const [one, other] = [await scripted(t, { pieces: ['a'] }), await scripted(t, { pieces: ['b'] })]
  assert.equal(await read(one.complete([1])) + (await read(other.complete([1]))), 'ab')
})

test('what is assumed is checked, and told', async (t) => {
  const open = (assume) => scripted(t, { pieces: ['a'] }, { assume })
  await assert.rejects(open({ bo: 'keep' }), failing('INVALID_ARGUMENT', /there is no "bo"; known are bos, input/))
  await assert.rejects(open({ bos: 'maybe' }), failing('INVALID_ARGUMENT', /bos is keep or strip, but got "maybe"/))
  await assert.rejects(open({ instances: true }), failing('INVALID_ARGUMENT', /auto or many, but got true/))
  await assert.rejects(open([]), failing('INVALID_ARGUMENT', /a JSON object is needed/))
  const { assumed } = (await open({ bos: 'strip', prefix_reuse: 'off' })).info()
  assert.equal(assumed.length, 6)
  for (const line of ['bos=strip (option)', 'prefix_reuse=off (option)', 'input=tokens (default)']) {
    assert.ok(assumed.includes(line), `${assumed}`)
  }
})

test('RKCHAT_ABI is not for the CPU runtime', { skip: lacking(SMOLLM2) }, async (t) => {
  const environment = { ...places(t).environment, RKCHAT_ABI: '1.1.0' }
  const open = `Model.open(${JSON.stringify(SMOLLM2)}, { maxContextLen: 64 })`
  assert.equal(await child(`${open}.then((model) => model.info().runtime.abiGroup)`, environment), '1.3.0')
  const vendor = await child(`Runtime.open(${JSON.stringify(scriptedRuntime('1.3.0'))})`, environment)
  assert.equal(vendor.code, 'RUNTIME_AMBIGUOUS')
})
