// Asks a model one question and prints the answer as it comes.

import { Model } from 'rkchat'

import { readArguments, timings } from './shared.mjs'

const { path, prompt, open, generate } = readArguments()
const model = await Model.open(path, open)

const generation = model.generate([{ role: 'user', content: prompt }], generate)
for await (const chunk of generation) {
  process.stdout.write(chunk.text)
}
console.log()
console.error(timings(await generation.completion()))

await model.close()
