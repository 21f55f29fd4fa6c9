// What the tests share: the checkout's files, folders of their own, and models that play a script.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

import { Model, RkchatError } from 'rkchat'

const HERE = dirname(fileURLToPath(import.meta.url))
export const ROOT = resolve(HERE, '../../..')
export const GROUPS = ['1.0.0', '1.0.1', '1.1.0', '1.2.0', '1.2.1b1', '1.2.1', '1.3.0']
/** Those that take and give token ids; the others know text alone. */
export const TOKEN_GROUPS = GROUPS.slice(2)
/** Two that stand for all, where the group does not matter. */
export const TWO_GROUPS = ['1.1.0', '1.3.0']
export const SMOLLM2 = join(ROOT, '.cache/models/SmolLM2-135M-Instruct.Q4_1.gguf')
export const QUESTION = [{ role: 'user', content: 'What is the capital of France?' }]

// Tests say which runtime they mean.
delete process.env.RKCHAT_RUNTIME

// Test files run side by side, and their scripted runtimes are in nobody's way: no folder, no locks.
process.env.RKCHAT_LOCK_DIR = '/dev/null'

const RUNTIMES = join(ROOT, 'bindings/node/runtime')

/** rkchat's CPU runtime for an ABI group. */
export const cpuRuntime = (group) => join(RUNTIMES, group, 'librkllmrt.so')

/** The library that stands for a vendor's and plays a script. */
export const scriptedRuntime = (group) => join(RUNTIMES, 'scripted', group, 'librkllmrt.so')

/** A folder that is removed when the test ends, with files in it. */
export function folder(t, files = {}) {
  const path = mkdtempSync(join(tmpdir(), 'rkchat-node-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), content)
  }
  return path
}

/** A library that says it is of this release: a scripted one with the text of a version. */
export function runtimeOf(release, group, path) {
  mkdirSync(path, { recursive: true })
  const library = join(path, 'librkllmrt.so')
  writeFileSync(library, Buffer.concat([readFileSync(scriptedRuntime(group)), Buffer.from(`\0${release}\0`)]))
  return library
}

/** Where runtimes are kept and looked for, of this test's own. */
export function places(t) {
  const path = folder(t, { 'library/empty': '' })
  const [data, library] = [join(path, 'data'), join(path, 'library')]
  // A server of the test is reached directly.
  const kept = Object.entries(process.env).filter(([name]) => !/^RKCHAT_|_proxy$/i.test(name))
  const environment = { ...Object.fromEntries(kept), XDG_DATA_HOME: data, LD_LIBRARY_PATH: library, RKCHAT_LOCK_DIR: '/dev/null' }
  return { path, store: join(data, 'rkchat/runtimes'), library, environment }
}

/** What an expression gives in a process of its own, or the error that it throws, as JSON. */
export function child(expression, environment) {
  const program = `
    import { Model, Runtime } from 'rkchat'
    let found
    try {
      found = await (${expression})
    } catch ({ code, message, details }) {
      found = { code, message, details }
    }
    console.log(JSON.stringify(found))`
  return new Promise((resolve, reject) => {
    const command = ['--input-type=module', '--eval', program]
    const options = { cwd: HERE, env: environment, timeout: 60_000 }
    const done = (error, stdout) => (error ? reject(error) : resolve(JSON.parse(stdout)))
    execFile(process.execPath, command, options, done)
  })
}

/** A model file that plays `script`; what the runtime was given is read by `received`. */
export function script(t, script) {
  const text = JSON.stringify({ record: 'record.jsonl', ...script })
  return join(folder(t, { 'model.rkllm': text }), 'model.rkllm')
}

/** Opens a model that plays `script`. */
export async function scripted(t, what, options = {}) {
  const path = typeof what === 'string' || what instanceof URL ? what : script(t, what)
  const { group = '1.3.0', ...rest } = options
  const model = await Model.open(path, { runtime: scriptedRuntime(group), abi: group, ...rest })
  t.after(() => model.close())
  return model
}

/** What the scripted runtime was given in each call of this name. */
export function received(path, call) {
  const lines = readFileSync(join(dirname(path), 'record.jsonl'), 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line)).filter((line) => line.call === call)
}

/** An answer that goes on until it is ended, one piece each 5 ms. */
export const ENDLESS = { pieces: ['la '], repeat: 0, delay_ms: 5, unlimited: true }

/** Reads a generation to its end. */
export async function read(generation) {
  let text = ''
  for await (const chunk of generation) {
    assert.ok(chunk.text.length > 0, 'a chunk has text')
    text += chunk.text
  }
  return text
}

/** A matcher for `assert.throws` and `assert.rejects`: an `RkchatError` of this code. */
export function failing(code, pattern = /./) {
  return (error) => {
    assert.ok(error instanceof RkchatError, `${error}`)
    assert.ok(error instanceof Error)
    assert.equal(error.name, 'RkchatError')
    assert.equal(error.code, code, error.message)
    assert.match(error.message, pattern)
    assert.equal(typeof error.details, 'object')
    return true
  }
}

/** A matcher for a `TypeError`. */
export function typeError(pattern) {
  return (error) => {
    assert.ok(error instanceof TypeError, `${error}`)
    assert.match(error.message, pattern)
    return true
  }
}

/** The reason to skip a test where a file is not there, said on stderr as well. */
export function lacking(path) {
  if (existsSync(path)) {
    return false
  }
  console.error(`SKIPPED: ${path} is not there`)
  return `${path} is not there`
}

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))
