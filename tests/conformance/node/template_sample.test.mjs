// A sample of the cases of ../shared/templates, as tests/conformance/template_sample.py writes it.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { ChatTemplate, RkchatError } from 'rkchat'

import { ROOT, lacking } from './helpers.mjs'

const SAMPLE = join(ROOT, 'target/template-sample')
/** When the reference was rendered. */
const NOW = '2026-03-07T08:05:09.012345'
const FIELDS = 11
const WORDS = { output: 'outputs', raise_exception: 'raise_exception', error: 'other errors' }

const given = (field) => (field === '' ? undefined : JSON.parse(field))

/** The output, or the error. */
function outcome([source, specialTokens, messages, tools, documents, variables, addGenerationPrompt, continueFinalMessage]) {
  try {
    const template = ChatTemplate.fromSource(source, { specialTokens: given(specialTokens) })
    return template.render(given(messages), {
      tools: given(tools),
      documents: given(documents),
      variables: given(variables),
      addGenerationPrompt: addGenerationPrompt === '1',
      continueFinalMessage: continueFinalMessage === '1',
      now: NOW,
    })
  } catch (error) {
    return error
  }
}

function isRight(found, expects, text) {
  if (expects === 'output') {
    return found === text
  }
  return found instanceof RkchatError && (expects === 'error' || found.details.template_message === text)
}

const NUMBER = /-?\d+(\.\d+)?(e[+-]?\d+)?/gi

/** Whether JSON has numbers that JavaScript does not tell from others: to it 1.0 is 1. */
function hasLostNumbers(json) {
  const numbers = json.replaceAll(/"(\\.|[^"\\])*"/g, '').match(NUMBER) ?? []
  return numbers.some((number) => (/[.e]/i.test(number) ? Number.isInteger : (n) => !Number.isSafeInteger(n))(Number(number)))
}

/** Text with its numbers as JavaScript has them. */
const asNumbers = (text) => String(text).replaceAll(NUMBER, (number) => String(Number(number)))

test('a sample of the reference renders as in transformers', { skip: lacking(SAMPLE) }, (t) => {
  const fields = readFileSync(SAMPLE, 'utf8').split('\0').slice(0, -1)
  const counts = Object.fromEntries(Object.keys(WORDS).map((kind) => [kind, { all: 0, good: 0 }]))
  const wrong = []
  let lost = 0
  for (let start = 0; start < fields.length; start += FIELDS) {
    const [name, ...rest] = fields.slice(start, start + FIELDS)
    const [expects, text] = rest.slice(-2)
    const found = outcome(rest)
    counts[expects].all += 1
    if (isRight(found, expects, text)) {
      counts[expects].good += 1
    } else if (expects === 'output' && rest.slice(1, 6).some(hasLostNumbers) && asNumbers(found) === asNumbers(text)) {
      lost += 1
    } else {
      wrong.push({ name, expects, text, found })
    }
  }
  const summary = Object.entries(WORDS).map(([kind, word]) => `${counts[kind].good}/${counts[kind].all} ${word}`)
  const remark = `${lost} outputs differ in numbers that JavaScript does not tell apart: 1.0 is 1`
  t.diagnostic(`templates: ${summary.join(', ')}${lost === 0 ? '' : `; ${remark}`}`)
  assert.deepEqual(wrong, [])
  assert.equal(fields.length, 500 * FIELDS)
})
