// Which runtime is taken, of those on this machine. Each search is a process with an environment of its own.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { child, places, runtimeOf, script } from './helpers.mjs'

const find = (there, options = {}) =>
  child(`Runtime.find(${JSON.stringify(options)}).then((runtime) => runtime.info())`, there.environment)

/** Opens a model and lets it answer. */
const answer = (there, path, options = {}) => {
  const all = JSON.stringify({ chatTemplate: 'x', ...options })
  const program = `Model.open(${JSON.stringify(path)}, ${all}).then(async (model) => ({
    runtime: model.info().runtime.path,
    text: (await model.generate([{ role: 'user', content: 'x' }]).completion()).text,
  }))`
  return child(program, there.environment)
}

/** One runtime that was fetched, and one of the system. */
function two(there) {
  const fetched = runtimeOf('1.1.4', '1.1.0', join(there.store, '1.1.4'))
  return { fetched, installed: runtimeOf('1.2.3', '1.2.1', there.library) }
}

const kinds = (info) => info.warnings.map(({ kind }) => kind)

test('the runtime that fits is taken, and the choice explained', async (t) => {
  const there = places(t)
  const { fetched, installed } = two(there)
  const info = await find(there, { modelVersion: '1.1.2' })
  assert.deepEqual([info.path, info.release, kinds(info)], [fetched, '1.1.4', ['unknown_runtime']])
  const why = 'runtime 1.1.4 was taken for a model of version 1.1.2: the same minor version and not older'
  assert.equal(info.evidence.at(-1), why)
  assert.equal((await find(there, { modelVersion: '1.2.2' })).path, installed)
  const newest = await find(there)
  assert.equal(newest.path, installed)
  assert.match(newest.evidence.at(-1), /newest/)

  const named = runtimeOf('1.3.0', '1.3.0', join(there.path, 'named'))
  there.environment.RKCHAT_RUNTIME = named
  assert.equal((await find(there, { modelVersion: '1.1.2' })).path, named)
})

test('where nothing is there, the error says what to get', async (t) => {
  const there = places(t)
  const none = await find(there, { modelVersion: '1.1.4' })
  assert.equal(none.code, 'RUNTIME_NOT_FOUND')
  assert.match(none.message, /rkchat runtime get 1\.1\.4/)
  const wrong = await find(there, { modelVersion: 'one' })
  assert.deepEqual([wrong.code, /model_version: "one"/.test(wrong.message)], ['INVALID_ARGUMENT', true])

  writeFileSync(join(there.library, 'librkllmrt.so'), 'text')
  assert.match((await find(there)).message, /Passed over: .*librkllmrt\.so: it is not a shared library/)
})

test('a runtime that is known to fail is taken only where any will do', async (t) => {
  const there = places(t)
  const old = runtimeOf('1.1.4', '1.1.0', there.library)
  const refused = await find(there, { modelVersion: '1.2.0' })
  assert.equal(refused.code, 'RUNTIME_MISMATCH')
  assert.match(refused.message, /runtime 1\.1\.4 for a model of version 1\.2\.0.*rkchat runtime get 1\.2\.0/)
  const forced = await find(there, { modelVersion: '1.2.0', anyVersion: true })
  assert.deepEqual([forced.path, kinds(forced)], [old, ['unknown_runtime', 'version_pair']])
  assert.match(forced.evidence.at(-1), /^runtime 1\.1\.4 was forced/)
})

test('a model is opened in what fits, and in nothing else', async (t) => {
  const there = places(t)
  const { fetched } = two(there)
  const model = script(t, { pieces: ['a'] })
  const good = { runtime: fetched, text: 'a' }
  assert.deepEqual(await answer(there, model, { modelVersion: '1.1.1' }), good)
  const named = { modelVersion: '1.2.0', runtime: fetched }
  const refused = await answer(there, model, named)
  assert.deepEqual([refused.code, /any_version/.test(refused.message)], ['RUNTIME_MISMATCH', true])
  assert.deepEqual(await answer(there, model, { ...named, anyVersion: true }), good)
})

test('a library beside a model is not loaded', async (t) => {
  const there = places(t)
  const model = script(t, { pieces: ['a'] })
  const folder = join(model, '..')
  const beside = runtimeOf('1.3.0', '1.3.0', folder)
  const searches = [answer(there, model), answer(there, folder), find(there, { modelFolder: folder })]
  for (const refused of await Promise.all(searches)) {
    assert.equal(refused.code, 'RUNTIME_NOT_FOUND')
    assert.ok(refused.message.includes(`${beside}: it lies beside a model and is none of Rockchip's`), refused.message)
  }
  assert.deepEqual(await answer(there, folder, { runtime: beside }), { runtime: beside, text: 'a' })
})
