// Stops in the middle of an answer, then asks something else.

import { Model } from 'rkchat'

import { readArguments } from './shared.mjs'

const { path, prompt, open, generate } = readArguments()
const model = await Model.open(path, open)

const long = [{ role: 'user', content: 'Write a long story about a lighthouse.' }]
let pieces = 0
for await (const chunk of model.generate(long, generate)) {
  process.stdout.write(chunk.text)
  if (++pieces === 8) {
    break // Leaving the loop cancels the answer.
  }
}
console.log('\n[cancelled]')

const answer = await model.generate([{ role: 'user', content: prompt }], generate).completion()
console.log(answer.text)

await model.close()
