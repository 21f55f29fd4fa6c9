// A program that is compiled, never run: what the declarations promise.

import { ChatTemplate, type Chunk, type ErrorCode, type FinishReason, Generation, type GenerateOptions, Model, type PromptCacheInfo, RkchatError, type Tensor, Tokenizer, version } from 'rkchat'

interface Message {
  role: 'user' | 'assistant'
  content: string
}

export async function program(signal: AbortSignal): Promise<FinishReason> {
  const model: Model = await Model.open(new URL('file:///model.gguf'), { topK: 1, runtime: 'x.so' })
  const messages: Message[] = [{ role: 'user', content: 'Hi' }]
  const options: GenerateOptions = { maxNewTokens: 5, signal, queueTimeout: 1000 }
  for await (const chunk of model.generate(messages, options)) {
    const piece: Chunk = chunk
    const ids: readonly number[] = piece.tokenIds
    console.log(piece.text, ids)
  }
  const generation: Generation = model.complete([1, 2])
  const whole: string = await generation
  const later: Promise<number> = generation.text.then((text) => text.length)
  const like: PromiseLike<string> = generation
  console.log(whole, await later, await like, version.length)
  const ids: number[] = model.encode(model.render(messages, { addGenerationPrompt: true }))
  const answer = await model.complete(new Uint32Array(ids), { maxNewTokens: undefined }).completion()
  const speed: number | undefined = answer.timings.decodeSpeed
  const first = await generation.next(50)
  const text: string | undefined = first.value?.text
  const template = ChatTemplate.fromSource('x', { bosToken: '<bos>' })
  const encoded: number[] = template.encode(messages, await Tokenizer.open('x'), { variables: { a: [1, null] } })
  console.log(speed, text, encoded, generation.finishReason())
  const { data, shape }: Tensor = await model.embed(['a'], { pooling: 'mean' })
  const logits: Tensor = await model.logits(ids, { positions: [0] })
  const caches: PromptCacheInfo[] = await model.promptCaches()
  console.log(data.subarray(0, shape[1]), logits.data, caches[0]?.size)
  await model.close()
  return answer.finishReason
}

export function code(error: unknown): ErrorCode | undefined {
  return error instanceof RkchatError ? error.code : undefined
}

// @ts-expect-error: no such option.
export const mistyped: GenerateOptions = { maxTokens: 5 }

// @ts-expect-error: handles come from functions.
export const model = new Model()

// @ts-expect-error: records are not changed.
export const change = (chunk: Chunk): void => { chunk.text = '' }
