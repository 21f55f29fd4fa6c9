// Chat templates and tokenizers, which need no runtime.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { ChatTemplate, Tokenizer } from 'rkchat'

import { ROOT, failing, folder, lacking } from './helpers.mjs'

const TURNS = readFileSync(join(ROOT, 'tests/fixtures/turns.jinja'), 'utf8')
const QUESTION = [{ role: 'user', content: 'Write a hello world program' }]
const PROMPT = '<bos><start_of_turn>user\nWrite a hello world program<end_of_turn>\n<start_of_turn>model\n'

/** Splits at spaces; `<bos>` goes before a text. */
const TOKENIZER = JSON.stringify({
  version: '1.0',
  added_tokens: ['<unk>', '<bos>'].map((content, id) => ({
    id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true,
  })),
  pre_tokenizer: { type: 'WhitespaceSplit' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '<bos>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
    special_tokens: { '<bos>': { id: '<bos>', ids: [1], tokens: ['<bos>'] } },
  },
  model: { type: 'WordLevel', vocab: { '<unk>': 0, '<bos>': 1, hello: 2, world: 3 }, unk_token: '<unk>' },
})

test('renders, from source and from a folder', async (t) => {
  const fromSource = ChatTemplate.fromSource(TURNS, { bosToken: '<bos>' })
  assert.equal(fromSource.render(QUESTION, { addGenerationPrompt: true }), PROMPT)
  assert.equal(fromSource.render(QUESTION), PROMPT.slice(0, PROMPT.indexOf('<start_of_turn>model')))
  assert.equal(fromSource.source(), TURNS)

  const config = JSON.stringify({ bos_token: '<bos>', chat_template: TURNS })
  const opened = await ChatTemplate.open(folder(t, { 'tokenizer_config.json': config }))
  assert.equal(opened.render(QUESTION, { addGenerationPrompt: true }), PROMPT)
})

const GEMMA2 = join(ROOT, '../shared/templates/templates/ecd6ae513fe1.jinja')

test("Gemma 2's own template renders exactly its prompt", { skip: lacking(GEMMA2) }, () => {
  const template = ChatTemplate.fromSource(readFileSync(GEMMA2, 'utf8'), { bosToken: '<bos>' })
  assert.equal(template.render(QUESTION, { addGenerationPrompt: true }), PROMPT)
  assert.throws(() => template.render([{ role: 'system', content: 'x' }]), failing('TEMPLATE', /System role not supported/))
})

test('variables, tools, documents and the clock reach the template', () => {
  const template = ChatTemplate.fromSource("{{ name }} {{ tools | tojson }} {{ documents | tojson }} {{ strftime_now('%Y-%m-%d %H:%M') }}")
  const rendered = template.render(QUESTION, {
    variables: { name: 'n' },
    tools: [{ b: 1, a: [] }],
    documents: [{ text: 't' }],
    now: '2026-03-07T08:05:09.012345',
  })
  assert.equal(rendered, 'n [{"b": 1, "a": []}] [{"text": "t"}] 2026-03-07 08:05')
})

test('a template that refuses says so in its own words', () => {
  const template = ChatTemplate.fromSource(TURNS)
  assert.throws(
    () => template.render([{ role: 'system', content: 'x' }]),
    (error) => failing('TEMPLATE', /There is no system role/)(error) && error.details.template_message === 'There is no system role',
  )
})

test('bad templates and messages', async (t) => {
  assert.throws(() => ChatTemplate.fromSource('{% if %}'), failing('TEMPLATE'))
  const template = ChatTemplate.fromSource(TURNS)
  assert.throws(() => template.render([]), failing('INVALID_ARGUMENT', /empty/))
  assert.throws(() => template.render({ role: 'user' }), failing('INVALID_ARGUMENT', /array/))
  assert.throws(() => template.render([{ content: 'x' }]), failing('INVALID_ARGUMENT', /role/))
  assert.throws(() => template.render('[]'), failing('INVALID_ARGUMENT'))
  await assert.rejects(ChatTemplate.open('/no/such/folder'), failing('NOT_FOUND', /\/no\/such\/folder/))
  await assert.rejects(ChatTemplate.open(folder(t, { 'tokenizer_config.json': '{"a": 1,}' })), failing('TEMPLATE', /line 1/))
})

test('a tokenizer encodes, decodes and counts', async (t) => {
  const tokenizer = await Tokenizer.open(folder(t, { 'tokenizer.json': TOKENIZER }))
  assert.deepEqual(tokenizer.encode('hello world'), [1, 2, 3])
  assert.deepEqual(tokenizer.encode('hello world', { addSpecialTokens: false }), [2, 3])
  assert.equal(tokenizer.decode([1, 2, 3]), '<bos> hello world')
  assert.equal(tokenizer.decode(new Uint32Array([1, 2, 3]), { skipSpecialTokens: true }), 'hello world')
  assert.equal(tokenizer.count('hello hello hello'), 4)
  assert.equal(tokenizer.count(''), 1)
  const template = ChatTemplate.fromSource('{{ messages[0].content }} world')
  assert.deepEqual(template.encode([{ role: 'user', content: '<bos> hello' }], tokenizer), [1, 2, 3])
})

test('nobody outside writes a control token', async () => {
  const words = join(ROOT, 'tests/fixtures/words')
  const [template, tokenizer] = await Promise.all([ChatTemplate.open(words), Tokenizer.open(words)])
  const messages = [{ role: 'user', content: 'the <eos> sea' }]
  assert.deepEqual(template.encode(messages, tokenizer), [0, 3, 1, 4])
  assert.deepEqual(template.encode(messages, tokenizer, { untrustedContent: 'literal' }), [0, 3, 2, 2, 4])
  assert.deepEqual(template.assistantMask(messages, tokenizer), [0, 0, 0, 0])
  const { specialTokens, vocabularySize } = tokenizer.info()
  assert.equal(vocabularySize, 8)
  assert.deepEqual(specialTokens[1], { names: ['eos_token'], text: '<eos>', id: 1 })
  assert.deepEqual(template.info().names, ['default'])
})

test('a template is chosen by its name', async (t) => {
  const named = ['default', 'tool_use', 'rag'].map((name) => ({ name, template: `${name} {{ enable_thinking }}` }))
  const template = await ChatTemplate.open(folder(t, { 'tokenizer_config.json': JSON.stringify({ chat_template: named }) }))
  assert.equal(template.render(QUESTION), 'default ')
  assert.equal(template.render(QUESTION, { tools: [], enableThinking: false }), 'tool_use False')
  assert.equal(template.render(QUESTION, { tools: [], templateName: 'rag' }), 'rag ')
  assert.equal(template.source({ templateName: 'rag' }), 'rag {{ enable_thinking }}')
  assert.throws(() => template.render(QUESTION, { templateName: 'x' }), failing('INVALID_ARGUMENT', /default, tool_use, rag/))
})

test('bad tokenizers', async (t) => {
  await assert.rejects(Tokenizer.open('/no/such/tokenizer.json'), failing('NOT_FOUND'))
  await assert.rejects(Tokenizer.open(folder(t)), failing('NOT_FOUND', /tokenizer\.json/))
  await assert.rejects(Tokenizer.open(folder(t, { 'tokenizer.json': '{"model": ' })), failing('TOKENIZER'))
})
