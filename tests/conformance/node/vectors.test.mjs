// The answers and requests that all languages share, over the scripted runtime. tests/run.py checks that
// every language ran every line.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { Model, RkchatError } from 'rkchat'

import { ROOT, script, scriptedRuntime } from './helpers.mjs'

const vectors = (name) =>
  readFileSync(join(ROOT, 'tests/vectors', name), 'utf8').trim().split('\n').map((line) => JSON.parse(line))

/** `max_new_tokens` to `maxNewTokens`, of the names in an object. */
const camel = (options) =>
  Object.fromEntries(
    Object.entries(options).map(([name, value]) => [name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase()), value]),
  )

/** A message with `stop_strings` and `stopStrings` made the same. */
const spoken = (message) => message.toLowerCase().replaceAll('_', '')

/** What an answer said, which is what was streamed. */
async function answer(generation) {
  const streamed = { text: '', reasoning: '', tool_call: '' }
  for await (const { kind, text } of generation) {
    streamed[kind] += text
  }
  const { text, reasoning, toolCalls, message, tokenIds, finishReason, usage, warnings } = await generation.completion()
  assert.equal(streamed.text, text)
  assert.equal(streamed.reasoning, reasoning ?? '')
  return {
    text,
    reasoning: reasoning ?? null,
    tool_calls: toolCalls.map(({ name, arguments: given }) => ({ name, arguments: given })),
    message,
    token_ids: [...tokenIds],
    finish_reason: finishReason,
    prompt_tokens: usage.promptTokens,
    new_tokens: usage.newTokens,
    counted_by: usage.countedBy,
    warnings: warnings.map(({ kind }) => kind),
  }
}

async function run(t, { script: played, open, messages, ids, options }, group) {
  const opened = { ...camel(open), runtime: scriptedRuntime(group), abi: group }
  if (opened.tokenizer) {
    opened.tokenizer = join(ROOT, opened.tokenizer)
  }
  const given = camel(options)
  if (given.timeout) {
    given.timeout *= 1000
  }
  const model = await Model.open(script(t, played), opened)
  try {
    return await answer(messages ? model.generate(messages, given) : model.complete(ids, given))
  } finally {
    await model.close()
  }
}

/** The lines of a file, each a case; how many there were is what tests/run.py reads. */
function all(name, check) {
  test(`the shared vectors in ${name}`, async (t) => {
    let count = 0
    for (const line of vectors(name)) {
      try {
        await check(t, line)
      } catch (error) {
        throw new Error(`${line.id ?? line.name}: ${error.message}`, { cause: error })
      }
      count++
    }
    console.log(`vectors ${name}: ${count}`)
  })
}

all('requests.jsonl', async (t, line) => {
  for (const group of line.groups) {
    if (line.error) {
      await assert.rejects(run(t, line, group), (error) => {
        assert.ok(error instanceof RkchatError, `${error}`)
        assert.equal(error.code, line.error.kind.toUpperCase())
        assert.ok(spoken(error.message).includes(spoken(line.error.says)), error.message)
        return true
      })
    } else {
      const found = await run(t, line, group)
      for (const [name, value] of Object.entries(line.expected)) {
        assert.deepEqual(found[name], value, `${name} on ${group}`)
      }
    }
  }
})

all('answers.jsonl', async (t, { template = '', prompt = '?', tools, format, text, expected }) => {
  const found = await run(
    t,
    {
      script: { pieces: text.match(/.{1,3}/gsu) ?? [] },
      // The template tells the format; the prompt is what a case says it is.
      open: { chat_template: `{% if false %}${template}{% endif %}{{ messages[-1].content }}` },
      messages: [{ role: 'user', content: prompt }],
      options: { untrusted_content: 'transformers', ...(tools && { tools }), ...(format && { tool_format: format }) },
    },
    '1.1.0',
  )
  assert.equal(found.text, expected.text)
  assert.equal(found.reasoning ?? '', expected.reasoning)
  assert.deepEqual(found.tool_calls, expected.tool_calls)
  assert.deepEqual(found.warnings, Array(expected.broken ?? 0).fill('broken_tool_call'))
})
