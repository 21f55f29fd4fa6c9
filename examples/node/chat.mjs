// Asks a model one question and prints the answer as it comes.

import { Model } from 'rkchat'

import { fail, question, readArguments, timings } from './shared.mjs'

const { path, prompt, open, generate } = readArguments()
try {
  const model = await Model.open(path, open)

  const generation = model.generate(question(prompt), generate)
  for await (const chunk of generation) {
    process.stdout.write(chunk.text)
  }
  console.log()
  console.error(timings(await generation.completion()))

  await model.close()
} catch (error) {
  fail(error)
}
