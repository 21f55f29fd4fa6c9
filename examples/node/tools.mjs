// Answers a question with a tool: the model asks for it, the program runs it, the model goes on.

import { Model } from 'rkchat'

import { fail, question, readArguments } from './shared.mjs'

const TOOLS = [
  {
    type: 'function',
    function: {
      name: 'get_temperature',
      description: 'How warm it is in a city now.',
      parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    },
  },
]
// A model that gets nowhere is left alone after so many answers.
const ROUNDS = 8

/** Runs a tool. A real one would ask a service. */
function use({ name, arguments: { city } }) {
  if (name !== 'get_temperature') {
    return 'there is no such tool'
  }
  return new Map([['Oslo', '4 degrees'], ['Rome', '19 degrees']]).get(city) ?? 'unknown city'
}

const { path, prompt, open, generate } = readArguments()
try {
  const model = await Model.open(path, open)

  const messages = question(prompt)
  for (let round = 0; round < ROUNDS; round++) {
    const generation = model.generate(messages, { tools: TOOLS, ...generate })
    for await (const chunk of generation) {
      if (chunk.kind === 'text') {
        process.stdout.write(chunk.text)
      }
    }
    console.log()
    const { message, toolCalls } = await generation.completion()
    messages.push(message)
    for (const call of toolCalls) {
      const result = use(call)
      console.log(`[${call.name}: ${result}]`)
      messages.push({ role: 'tool', tool_call_id: call.id, content: result })
    }
    if (toolCalls.length === 0) {
      break
    }
  }

  await model.close()
} catch (error) {
  fail(error)
}
