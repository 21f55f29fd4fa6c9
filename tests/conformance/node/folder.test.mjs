// What is read of a model without a runtime.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Model, ModelFolder } from 'rkchat'

import { failing, folder } from './helpers.mjs'

const FILES = { 'gemma-2-2b-it-w8a8-rk3588-1.1.4.rkllm': '{}', 'README.md': 'Compatible with RKLLM version: 1.1.4' }

test('facts come with their sources', async (t) => {
  const { facts } = (await ModelFolder.open(folder(t, FILES))).info()
  const version = facts.find(({ name }) => name === 'model_version')
  assert.equal(version.value, '1.1.4')
  assert.match(version.source, /gemma-2-2b-it/)
  assert.equal(facts.find(({ name }) => name === 'family').value, 'Gemma 1 and 2')
})

test('what does not agree is told', async (t) => {
  const path = folder(t, { ...FILES, 'README.md': 'Compatible with RKLLM version: 1.2.1' })
  const { warnings } = (await ModelFolder.open(path)).info()
  assert.ok(warnings.some(({ kind }) => kind === 'contradiction'), JSON.stringify(warnings))
  await assert.rejects(Model.open(path), failing('MODEL_AMBIGUOUS', /1\.1\.4.*1\.2\.1.*model_version/))
})

test('one of several is named', async (t) => {
  const path = folder(t, { ...FILES, 'b.rkllm': '{}' })
  await assert.rejects(ModelFolder.open(path), failing('INVALID_ARGUMENT', /option file/))
  assert.match((await ModelFolder.open(path, { file: 'b.rkllm' })).info().path, /b\.rkllm$/)
})
