// What the example programs share: their command line, and how they show timings.

import { parseArgs } from 'node:util'

import { RkchatError } from 'rkchat'

const USAGE = 'usage: MODEL [PROMPT] [--runtime PATH] [--greedy] [--max-new-tokens N] [--max-context-len N]'

/** Reads the command line; ends the process with a message and status 2 where it is wrong. */
export function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        runtime: { type: 'string' },
        greedy: { type: 'boolean', default: false },
        'max-new-tokens': { type: 'string' },
        'max-context-len': { type: 'string' },
      },
    })
    const [path, prompt = 'What is the capital of France?', ...rest] = positionals
    if (path === undefined || rest.length > 0) {
      throw new Error(path === undefined ? 'the model is missing' : `not understood: ${rest.join(' ')}`)
    }
    const number = (name) => {
      const value = values[name]
      if (value !== undefined && !/^\d+$/.test(value)) {
        throw new Error(`--${name} takes a number, not ${value}`)
      }
      return value === undefined ? undefined : Number(value)
    }
    // Set when the model is opened, where runtimes of every version take it.
    const greedy = values.greedy && { topK: 1, repeatPenalty: 1 }
    return {
      path,
      prompt,
      open: { runtime: values.runtime, maxContextLen: number('max-context-len'), ...greedy },
      generate: { maxNewTokens: number('max-new-tokens') },
    }
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`)
    process.exit(2)
  }
}

/** A conversation of one question. */
export function question(text) {
  return [
    { role: 'system', content: 'You are a helpful assistant.' },
    { role: 'user', content: text },
  ]
}

/** Shows what went wrong, and ends the process, for an error of rkchat; other errors are defects. */
export function fail(error) {
  if (!(error instanceof RkchatError)) {
    throw error
  }
  console.error(error.message)
  process.exit(1)
}

/** One line with what an answer took. */
export function timings({ usage, timings }) {
  const speed = (tokensPerSecond) =>
    tokensPerSecond === undefined ? 'too short to tell' : `${tokensPerSecond.toFixed(1)} tokens/s`
  const reused = usage.reusedTokens ? ` (${usage.reusedTokens} of them still in the cache)` : ''
  const first =
    timings.timeToFirstToken === undefined
      ? ''
      : `, first token after ${timings.timeToFirstToken.toFixed(2)} s`
  return (
    `${usage.promptTokens} prompt tokens${reused}, prefill ${speed(timings.prefillSpeed)}${first}; ` +
    `${usage.newTokens} new tokens, decode ${speed(timings.decodeSpeed)}`
  )
}
