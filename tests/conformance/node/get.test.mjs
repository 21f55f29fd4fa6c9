// Fetching a runtime: nothing is stored that is not the published file. The servers are in this process, and
// each request is made by a child with a store of its own.

import assert from 'node:assert/strict'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { test } from 'node:test'

import { child, places, scriptedRuntime } from './helpers.mjs'

const LIBRARY = '/files/librkllmrt.so'

async function get(t, options) {
  const { environment, store } = places(t)
  const found = await child(`Runtime.get(${JSON.stringify(options)})`, environment)
  const stored = existsSync(store) ? readdirSync(store, { recursive: true }) : []
  assert.deepEqual(stored.filter((name) => name.includes('librkllmrt.so')), [])
  return found
}

/** A server that answers every request alike; gives its URL, and the paths that were asked for. */
async function serve(t, respond) {
  const asked = []
  const server = createServer((request, response) => {
    asked.push(request.url)
    respond(response)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return { url: `http://127.0.0.1:${server.address().port}`, asked }
}

test('a file that is another is refused, with both hashes', async (t) => {
  const source = scriptedRuntime('1.1.0')
  const { code, message, details } = await get(t, { release: '1.1.4', source })
  assert.equal(code, 'RUNTIME_INVALID')
  assert.match(message, /is not runtime 1\.1\.4 for Linux\/aarch64/)
  for (const hash of [details.found_sha1, details.expected_sha1]) {
    assert.match(hash, /^[0-9a-f]{40}$/)
    assert.ok(message.includes(hash))
  }
  assert.equal(details.size, statSync(source).size)
  assert.match((await get(t, { modelVersion: '1.1.2', source })).message, /is not runtime 1\.1\./)
})

test('what cannot be asked for', async (t) => {
  const cases = [
    [{}, 'INVALID_ARGUMENT', /one of release and model_version/],
    [{ release: '1.1.4', modelVersion: '1.1.4' }, 'INVALID_ARGUMENT', /and only one/],
    [{ release: '9.9.9' }, 'INVALID_ARGUMENT', /"9\.9\.9" is not a release that rkchat knows; known are 1\.0\.0/],
    [{ release: '1.1.4', platform: 'Plan9/mips' }, 'INVALID_ARGUMENT', /for Plan9\/mips, only for/],
    [{ modelVersion: '1.1.4', platform: 'Plan9/mips' }, 'INVALID_ARGUMENT', /for Plan9\/mips, only for/],
    [{ modelVersion: 'one' }, 'INVALID_ARGUMENT', /"one" is not a version/],
    [{ release: '1.1.4', source: 'ftp://example.org/librkllmrt.so' }, 'INVALID_ARGUMENT', /http:\/\/ and https:\/\//],
    [{ release: '1.1.4', source: '/no/such/file' }, 'NOT_FOUND', /\/no\/such\/file/],
  ]
  for (const [options, code, message] of cases) {
    const found = await get(t, options)
    assert.equal(found.code, code, found.message)
    assert.match(found.message, message)
  }
})

const ANSWERS = {
  'of 404': [(response) => response.writeHead(404).end(), 'IO', /the server answered 404 Not Found/],
  'of other bytes': [(response) => response.end('\x7fELF and more'), 'RUNTIME_INVALID', /is a library, but another/],
  'of a page': [(response) => response.end('<!DOCTYPE html><p>Log in'), 'RUNTIME_INVALID', /is an HTML page/],
  'that is cut': [
    (response) => response.writeHead(200, { 'content-length': 5_000_000 }).write('\x7fELF', () => response.destroy()),
    'IO', /after \d+ bytes/,
  ],
}
for (const [name, [respond, code, message]] of Object.entries(ANSWERS)) {
  test(`an answer ${name} is refused`, async (t) => {
    const { url, asked } = await serve(t, respond)
    const found = await get(t, { release: '1.1.4', source: url + LIBRARY })
    assert.equal(found.code, code, found.message)
    assert.match(found.message, message)
    assert.ok(found.message.includes(url + LIBRARY) && found.message.includes('Nothing was stored'), found.message)
    assert.deepEqual(asked, [LIBRARY])
  })
}

test('a copy of the repository is asked for the path of the release', async (t) => {
  const { url, asked } = await serve(t, (response) => response.writeHead(404).end())
  const found = await get(t, { release: '1.1.4', source: url })
  assert.match(found.message, /rkchat runtime get 1\.1\.4 --from FILE/)
  assert.match(asked[0], /\/aarch64\/librkllmrt\.so$/)
})
