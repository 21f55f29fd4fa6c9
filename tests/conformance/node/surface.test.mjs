// Parity: all that core/src/surface has is here, besides the exceptions below, and nothing else is.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import * as rkchat from 'rkchat'

import { ENDLESS, ROOT, scripted } from './helpers.mjs'

const { surface } = JSON.parse(readFileSync(join(ROOT, 'include/surface.lock'), 'utf8'))

/** Methods of the surface that Node does not have under their name. */
const ELSEWHERE = {
  'Model.completeIds': '`complete` takes ids as well: JavaScript tells them from text',
  'Model.logitsIds': '`logits` takes ids as well',
  'Model.scoreIds': '`score` takes ids as well',
  'Generation.poll': 'promises do that; `next` is built on it',
}

/** What Node has and the surface does not. */
const BESIDES = {
  'Model.[Symbol.asyncDispose]': '`await using`',
  'Generation.[Symbol.asyncDispose]': '`await using`',
  'Generation.[Symbol.dispose]': '`using`',
  'Generation.[Symbol.asyncIterator]': '`for await`',
  'Generation.return': 'leaving a `for await` loop',
  'Generation.then': '`await`',
  'Generation.start': 'not in the declarations: how a model hands over a generation',
}

const camel = (name) => name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase())
const snake = (name) => name.replace(/(?<=.)[A-Z]/g, (letter) => `_${letter}`).toLowerCase()

// How classes hand native objects to each other; not in the declarations.
const HANDLE = 'Symbol(rkchat.handle)'
const OF_FUNCTIONS = ['length', 'name', 'prototype', HANDLE]
const OF_PROTOTYPES = ['constructor', HANDLE]
const SYMBOLS = new Map(Object.getOwnPropertyNames(Symbol).map((name) => [Symbol[name], `[Symbol.${name}]`]))

/** The methods of a class and of what it extends, static ones included. */
function methodsOf(type) {
  const names = new Set()
  for (let level = type; level !== Function.prototype; level = Object.getPrototypeOf(level)) {
    const label = (key) => SYMBOLS.get(key) ?? String(key)
    const statics = Reflect.ownKeys(level).map(label).filter((name) => !OF_FUNCTIONS.includes(name))
    const methods = Reflect.ownKeys(level.prototype).map(label).filter((name) => !OF_PROTOTYPES.includes(name))
    for (const name of [...statics, ...methods]) names.add(name)
  }
  return names
}

test('every method of the surface is there, and no other', () => {
  const expected = new Set(Object.keys(BESIDES))
  for (const handle of surface.handles) {
    for (const method of handle.methods) {
      const name = `${handle.name}.${camel(method.name)}`
      if (!(name in ELSEWHERE) && !method.c_only) {
        expected.add(name)
      }
    }
  }
  const found = new Set()
  for (const handle of surface.handles) {
    for (const method of methodsOf(rkchat[handle.name])) {
      found.add(`${handle.name}.${method}`)
    }
  }
  assert.deepEqual([...found].sort(), [...expected].sort())
})

test('the exceptions are still exceptions', () => {
  const methods = surface.handles.flatMap((handle) => handle.methods.map((method) => `${handle.name}.${camel(method.name)}`))
  for (const name of Object.keys(ELSEWHERE)) {
    assert.ok(methods.includes(name), `${name} is not in the surface`)
  }
  for (const name of Object.keys(BESIDES)) {
    assert.ok(!methods.includes(name), `${name} is in the surface`)
  }
})

test('every handle is exported, and nothing unknown', () => {
  const handles = surface.handles.map((handle) => handle.name)
  const exported = Object.keys(rkchat).filter((name) => name !== '__esModule')
  assert.deepEqual(exported.sort(), [...handles, 'RkchatError', 'version'].sort())
})

test('the version is that of the package, and of all of rkchat', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'bindings/node/package.json'), 'utf8'))
  assert.equal(rkchat.version, version)
  assert.ok(readFileSync(join(ROOT, 'Cargo.toml'), 'utf8').includes(`version = "${version}"`))
})

test('blocking methods give promises, properties are getters', () => {
  let checked = 0
  for (const handle of surface.handles) {
    for (const method of handle.methods) {
      const type = rkchat[handle.name]
      if (method.property) {
        const { get } = Object.getOwnPropertyDescriptor(type.prototype, camel(method.name))
        assert.equal(typeof get, 'function')
        continue
      }
      const found = (method.is_static ? type : type.prototype)[camel(method.name)]
      if (found && !method.handwritten) {
        checked++
        const isAsync = found.constructor.name === 'AsyncFunction'
        assert.equal(isAsync, method.blocking, `${handle.name}.${method.name}`)
      }
    }
  }
  assert.ok(checked > 15, `only ${checked} methods were looked at`)
})

test('declarations have every option, field, variant and error code', () => {
  const text = readFileSync(join(ROOT, 'bindings/node/dist/generated/types.d.ts'), 'utf8')
  const block = (name) => {
    const found = text.match(new RegExp(`export (?:interface|type) ${name}\\b[^]*?(?=\\nexport |\\n/\\*\\*|$)`))
    assert.ok(found, `${name} is not declared`)
    return found[0]
  }
  for (const { name, fields, c_only } of surface.options) {
    if (c_only) {
      assert.ok(!text.includes(`interface ${name} `))
      continue
    }
    for (const field of fields) assert.match(block(name), new RegExp(`\\n    ${camel(field.name)}\\?: `))
  }
  for (const { name, fields } of surface.records) {
    for (const field of fields) assert.match(block(name), new RegExp(`\\n    readonly ${camel(field.name)}: `))
  }
  for (const { name, variants } of surface.enums) {
    for (const variant of variants) assert.ok(block(name).includes(`'${snake(variant.name)}'`), variant.name)
  }
  for (const { name } of surface.errors) {
    assert.ok(block('ErrorCode').includes(`'${snake(name).toUpperCase()}'`), name)
  }
})

test('records have exactly the fields of the surface', async (t) => {
  const record = (name) => surface.records.find((record) => record.name === name).fields.map((field) => camel(field.name))
  const model = await scripted(t, ENDLESS)
  const info = model.info()
  assert.deepEqual(Object.keys(info), record('ModelInfo'))
  assert.deepEqual(Object.keys(info.runtime), record('RuntimeInfo'))
  const generation = model.complete([1], { maxNewTokens: 2 })
  const { value: chunk } = await generation.next()
  assert.deepEqual(Object.keys(chunk), record('Chunk'))
  const answer = await generation.completion()
  assert.deepEqual(Object.keys(answer), record('Completion'))
  assert.deepEqual(Object.keys(answer.usage), record('Usage'))
  assert.deepEqual(Object.keys(answer.timings), record('Timings'))
})
