// Which library a file is, and what is said where it is none.

import assert from 'node:assert/strict'
import { chmodSync, copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { Model, Runtime } from 'rkchat'

import { GROUPS, SMOLLM2, cpuRuntime, failing, folder, scriptedRuntime } from './helpers.mjs'

const NOBODY = 65534
const SCRIPTED = scriptedRuntime('1.3.0')
const LIBM = process.report.getReport().sharedObjects.find((path) => /libm\.so/.test(path))

/** A runtime with other numbers in its ELF header, by their offset. */
function changed(numbers) {
  const data = readFileSync(SCRIPTED)
  for (const [at, value] of Object.entries(numbers)) data[at] = value
  return data
}

test('a runtime says what it is', async () => {
  for (const group of GROUPS) {
    const own = (await Runtime.open(cpuRuntime(group))).info()
    assert.deepEqual([own.name, own.abiGroup, own.warnings], ['rkchat-cpu', group, []])

    // A vendor's that nobody has published; nothing tells these two groups apart but a text in the file.
    const info = (await Runtime.open(scriptedRuntime(group))).info()
    assert.deepEqual([info.name, info.release, info.platform], ['rkllm', undefined, undefined])
    assert.equal(info.abiGroup, group === '1.2.0' ? '1.2.1b1' : group)
    assert.deepEqual(info.warnings.map(({ kind }) => kind), ['unknown_runtime'])
    assert.match(info.warnings[0].message, /RKCHAT_ABI/)
    assert.match(info.evidence.join('; '), /exported functions.*; rkllm_createDefaultParam/)
  }
})

test('capabilities differ by group', async () => {
  const expected = {
    '1.0.0': [[], ['abort', 'token_input']],
    '1.0.1': [['abort', 'log_probabilities'], ['token_input', 'token_ids']],
    '1.1.0': [['token_input', 'lora'], ['log_probabilities', 'chat_template']],
    '1.2.0': [['token_ids', 'clear_cache'], ['pause', 'several_models']],
    '1.2.1b1': [['several_images'], ['function_tools']],
    '1.2.1': [['function_tools', 'pause'], ['several_models', 'run_sampling']],
    '1.3.0': [['several_models', 'run_sampling'], ['log_probabilities']],
  }
  for (const group of GROUPS) {
    const info = (await Runtime.open(scriptedRuntime(group), { abi: group })).info()
    assert.equal(info.release, group)
    const has = (name) => info.capabilities.includes(name)
    const [can, cannot] = expected[group]
    assert.deepEqual([can.filter(has), cannot.filter(has)], [can, []], group)
  }
})

test('a wrong abi is refused, unless it is not to be checked', async () => {
  const wrong = Runtime.open(SCRIPTED, { abi: '1.2.1' })
  await assert.rejects(wrong, failing('RUNTIME_AMBIGUOUS', /abi says 1\.2\.1.*abi = "1\.2\.1!" or RKCHAT_ABI=1\.2\.1!/))
  const own = Runtime.open(cpuRuntime('1.3.0'), { abi: '1.1.0' })
  await assert.rejects(own, failing('RUNTIME_AMBIGUOUS', /rkchat's own runtime/))
  const unknown = Runtime.open(SCRIPTED, { abi: 'seven' })
  await assert.rejects(unknown, failing('INVALID_ARGUMENT', /abi: "seven".*1\.2\.1b1, 1\.2\.1, 1\.2\.2/))

  for (const options of [{ abi: '1.2.1!' }, { abi: '1.2.1', abiUnchecked: true }]) {
    const info = (await Runtime.open(SCRIPTED, options)).info()
    assert.deepEqual([info.abiGroup, info.release], ['1.2.1', '1.2.1'])
    assert.ok(info.evidence.includes('abi says 1.2.1, unchecked'))
  }
  // The file tells without being asked that it is not this.
  const { abiGroup, warnings } = (await Runtime.open(SCRIPTED, { abi: '1.1.0!' })).info()
  assert.equal(abiGroup, '1.1.0')
  assert.match(warnings[0].message, /because abi says so/)
  await assert.rejects(Runtime.open(SCRIPTED, { abiUnchecked: true }), failing('INVALID_ARGUMENT', /abi_unchecked/))
})

test('each file that is no runtime has its message', async (t) => {
  const files = {
    text: ['not a library', /it is not a shared library \(ELF\): it begins with "not a library"/],
    empty: ['', /the file is empty/],
    page: ['<!DOCTYPE html><html>', /it is a web page/],
    pointer: ['version https://git-lfs.github.com/spec/v1\n', /it is a pointer of Git LFS/],
    cut: [readFileSync(SCRIPTED).subarray(0, 1_000_000), /the file is cut off: .* there are 1000000/],
    narrow: [changed({ 4: 1, 18: 3 }), /it is a 32-bit library and this is a 64-bit program/],
    board: [changed({ 18: 183 }), /it is built for AArch64 \(64-bit Arm\), .* x86-64: .* use a GGUF model/],
  }
  const contents = Object.entries(files).map(([name, [content]]) => [`${name}.so`, content])
  const path = folder(t, Object.fromEntries(contents))
  for (const [name, [, message]] of Object.entries(files)) {
    const file = join(path, `${name}.so`)
    await assert.rejects(Runtime.open(file), failing('RUNTIME_INVALID', message))
    await assert.rejects(Model.open(SMOLLM2, { runtime: file }), failing('RUNTIME_INVALID', message))
  }
  await assert.rejects(Runtime.open(path), failing('RUNTIME_INVALID', /it is a folder; name the librkllmrt\.so in it/))
  await assert.rejects(Runtime.open(LIBM), failing('RUNTIME_INVALID', /it does not export .*rkllm_init/))
  const missing = Runtime.open(join(path, 'missing.so'))
  await assert.rejects(missing, failing('RUNTIME_NOT_FOUND', /there is no such file.*rkchat runtime get/))
})

test('a runtime that may not be read is an error of the system', async (t) => {
  const path = join(folder(t), 'librkllmrt.so')
  copyFileSync(SCRIPTED, path)
  chmodSync(path, 0)
  const isRoot = process.geteuid() === 0
  if (isRoot) process.seteuid(NOBODY)
  try {
    await assert.rejects(Runtime.open(path), failing('IO', /permission denied; .* ls -l/))
  } finally {
    if (isRoot) process.seteuid(0)
  }
})
