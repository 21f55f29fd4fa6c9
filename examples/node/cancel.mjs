// Stops in the middle of an answer, then asks something else.

import { Model } from 'rkchat'

import { fail, question, readArguments } from './shared.mjs'

const { path, prompt, open, generate } = readArguments()
try {
  const model = await Model.open(path, open)

  let pieces = 0
  for await (const chunk of model.generate(question('Write a long story about a lighthouse.'), generate)) {
    process.stdout.write(chunk.text)
    if (++pieces === 8) {
      break // Leaving the loop cancels the answer.
    }
  }
  console.log('\n[cancelled]')

  const answer = await model.generate(question(prompt), generate).completion()
  console.log(answer.text)

  await model.close()
} catch (error) {
  fail(error)
}
