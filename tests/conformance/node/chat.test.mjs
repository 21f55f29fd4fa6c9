// A conversation keeps what was said, goes on with it, and gives it away as native objects.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Chat } from 'rkchat'

import { ENDLESS, failing, read, received, script, scripted } from './helpers.mjs'

const chatTemplate =
  '{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<bot>{% endif %}'
// Takes text and has no template of its own.
const OPTIONS = { group: '1.1.0', chatTemplate }
const said = (role, content) => ({ role, content })

test('what was said is sent again', async (t) => {
  const path = script(t, { pieces: ['y', 'es'] })
  const model = await scripted(t, path, OPTIONS)
  const prompts = () => received(path, 'run').map((run) => run.input)
  const chat = Chat.open(model, { system: 'be' })
  assert.equal(await read(chat.send('a?')), 'yes')
  assert.equal((await chat.sendMessage(said('user', 'b?'), { maxNewTokens: 9 }).completion()).text, 'yes')
  assert.deepEqual(prompts(), ['<system>be<user>a?<bot>', '<system>be<user>a?<assistant>yes<user>b?<bot>'])
  const turn = (question) => [said('user', question), said('assistant', 'yes')]
  const history = [said('system', 'be'), ...turn('a?'), ...turn('b?')]
  assert.deepEqual(chat.messages(), history)

  await chat.regenerate().completion()
  assert.deepEqual(chat.messages(), history)
  assert.equal(prompts()[1], prompts()[2])
  const back = Chat.fromJson(model, JSON.parse(JSON.stringify(chat.toJson())))
  assert.deepEqual(back.messages(), history)

  const branch = chat.branch()
  assert.ok(branch instanceof Chat)
  branch.edit(3, said('user', 'other?'))
  assert.deepEqual(branch.messages(), [...history.slice(0, 3), said('user', 'other?')])
  assert.deepEqual(chat.messages(), history)
  chat.reset()
  assert.deepEqual(chat.messages(), history.slice(0, 1))
})

test('a chat answers one at a time', async (t) => {
  const model = await scripted(t, ENDLESS, OPTIONS)
  const chat = Chat.open(model, { overflow: 'error', reserve: 100 })
  const generation = chat.send('a?')
  assert.throws(() => chat.send('b?'), failing('BUSY', /still coming/))
  generation.cancel()
  assert.ok([0, 2].includes(chat.messages().length))
  assert.throws(() => chat.edit(7, said('user', '?')), failing('INVALID_ARGUMENT'))
  assert.throws(() => Chat.fromJson(model, { messages: [] }), failing('INVALID_ARGUMENT'))
})
