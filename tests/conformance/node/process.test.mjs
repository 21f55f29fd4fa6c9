// How the module behaves in a process: when that ends, in workers, and as ESM and CommonJS.

import assert from 'node:assert/strict'
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { cpSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'

import * as esm from 'rkchat'

import { ENDLESS, ROOT, folder, script, scripted, scriptedRuntime } from './helpers.mjs'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const PACKAGE = join(ROOT, 'bindings/node')

/** Runs a program that finds `model`, playing `what`, and gives its exit status and stdout. */
function run(t, what, program, options = {}) {
  const path = script(t, what)
  const source = `
    import { Model } from 'rkchat'
    const model = await Model.open(${JSON.stringify(path)}, {
      runtime: ${JSON.stringify(scriptedRuntime('1.3.0'))}, abi: '1.3.0',
    })
    ${program}`
  const command = ['--input-type=module', '--eval', source]
  return new Promise((resolve) => {
    const done = (error, stdout, stderr) => resolve({ status: error ? (error.code ?? error.signal) : 0, stdout, stderr })
    execFile(process.execPath, command, { cwd: HERE, timeout: 20_000, ...options }, done)
  })
}

test('an open model does not keep the process alive', async (t) => {
  const { status, stdout } = await run(t, ENDLESS, `console.log('opened')`)
  assert.deepEqual([status, stdout], [0, 'opened\n'])
})

test('a running generation that nobody waits for does not either', async (t) => {
  const { status, stdout } = await run(t, ENDLESS, `
    const generation = model.complete([1])
    console.log((await generation.next()).value.text)`)
  assert.deepEqual([status, stdout], [0, 'la \n'])
})

test('a pending wait does', async (t) => {
  const { status, stdout } = await run(t, { pieces: ['late'], prefill_ms: 700 }, `
    model.complete([1]).completion().then((answer) => console.log(answer.text))`)
  assert.deepEqual([status, stdout], [0, 'late\n'])
})

test('process.exit in the middle of an answer ends cleanly', async (t) => {
  const { status, stdout } = await run(t, ENDLESS, `
    for await (const chunk of model.complete([1])) {
      process.stdout.write(chunk.text)
      process.exit(7)
    }`)
  assert.deepEqual([status, stdout], [7, 'la '])
})

test('an uncaught error in the middle of an answer ends the process', async (t) => {
  const { status, stderr } = await run(t, ENDLESS, `
    for await (const chunk of model.complete([1])) throw new Error('mine')`)
  assert.equal(status, 1)
  assert.match(stderr, /Error: mine/)
})

/** A worker that opens a model and answers each message with two pieces of an answer. */
const WORKER = `
  import { parentPort, workerData } from 'node:worker_threads'
  import { Model } from 'rkchat'
  const model = await Model.open(workerData.path, { runtime: workerData.runtime, abi: '1.3.0' })
  const generation = model.complete([1])
  parentPort.postMessage((await generation.next()).value.text)
  if (workerData.linger) {
    await generation.completion()
  }`

function worker(t, linger) {
  const runtime = scriptedRuntime('1.3.0')
  const file = join(folder(t, { 'worker.mjs': WORKER }), 'worker.mjs')
  // Where the package is found from.
  symlinkSync(join(HERE, 'node_modules'), join(file, '../node_modules'))
  return new Worker(file, { workerData: { path: script(t, ENDLESS), runtime, linger } })
}

const event = (emitter, name) =>
  new Promise((resolve, reject) => emitter.once(name, resolve).once('error', reject))

test('workers have models of their own, and end with an answer on its way', async (t) => {
  const model = await scripted(t, ENDLESS)
  const generation = model.complete([1])
  const ends = await Promise.all(
    [0, 1, 2].map(async () => {
      const one = worker(t, false)
      const ended = event(one, 'exit')
      return [await event(one, 'message'), await ended]
    }),
  )
  assert.deepEqual(ends, Array(3).fill(['la ', 0]))
  assert.equal((await generation.next()).value.text, 'la ')
})

test('a worker is terminated while it waits', async (t) => {
  const one = worker(t, true)
  assert.equal(await event(one, 'message'), 'la ')
  assert.equal(await one.terminate(), 1)
})

test('a process whose only user is a worker goes on after it', async (t) => {
  const { status, stdout } = await run(t, ENDLESS, `
    await model.close()
    console.log('closed')`)
  assert.deepEqual([status, stdout], [0, 'closed\n'])
  const path = script(t, ENDLESS)
  const inner = JSON.stringify(WORKER)
  const program = `
    const { Worker } = require('node:worker_threads')
    const start = () => new Promise((resolve, reject) => {
      const url = new URL('data:text/javascript,' + encodeURIComponent(${inner}.replace("'rkchat'", ${JSON.stringify(JSON.stringify(import.meta.resolve('rkchat')))})))
      const worker = new Worker(url, { workerData: ${JSON.stringify({ path, runtime: scriptedRuntime('1.3.0') })} })
      worker.on('exit', resolve).on('error', reject)
    })
    start().then(start).then(() => setTimeout(() => console.log('still here'), 100))`
  const stdoutOf = execFileSync(process.execPath, ['--eval', program], { cwd: HERE, timeout: 20_000, encoding: 'utf8' })
  assert.equal(stdoutOf, 'still here\n')
})

test('import and require give the same classes', () => {
  const cjs = createRequire(import.meta.url)('rkchat')
  const names = ['Chat', 'ChatTemplate', 'Generation', 'Model', 'ModelFolder', 'Opening', 'RkchatError', 'Runtime', 'Tokenizer']
  for (const name of names) {
    assert.equal(typeof esm[name], 'function', name)
    assert.equal(esm[name], cjs[name], name)
  }
  assert.deepEqual(Object.keys(esm).filter((name) => name !== '__esModule').sort(), [...names, 'version'])
})

test('a package without its native half says so', (t) => {
  const path = folder(t)
  cpSync(join(PACKAGE, 'dist'), join(path, 'dist'), { recursive: true })
  cpSync(join(PACKAGE, 'package.json'), join(path, 'package.json'))
  const load = () => createRequire(import.meta.url)(path)
  assert.throws(load, /native half is not there: .*rkchat\.node\. .*`make` builds it/)
})

test('a native half of another version is refused', (t) => {
  const path = folder(t)
  cpSync(join(PACKAGE, 'dist'), join(path, 'dist'), { recursive: true })
  cpSync(join(PACKAGE, 'package.json'), join(path, 'package.json'))
  symlinkSync(join(PACKAGE, 'rkchat.node'), join(path, 'rkchat.node'))
  const types = createRequire(import.meta.url)(join(path, 'dist/generated/types.js'))
  types.SURFACE_HASH = '0'
  assert.throws(() => createRequire(import.meta.url)(path), /belongs to another version/)
})

for (const kind of ['dom', 'node']) {
  test(`the declarations fit programs that know ${kind}`, () => {
    const tsc = join(PACKAGE, 'node_modules/typescript/bin/tsc')
    const project = join(HERE, `types/tsconfig.${kind}.json`)
    const { status, stdout } = spawnSync(process.execPath, [tsc, '--project', project], { encoding: 'utf8' })
    assert.equal(stdout, '')
    assert.equal(status, 0)
  })
}
