/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Chat models on Rockchip NPUs, and on any CPU.
 *
 * ```ts
 * import { Model } from 'rkchat'
 *
 * const model = await Model.open('SmolLM2.gguf')
 * for await (const chunk of model.generate([{ role: 'user', content: 'Who are you?' }])) {
 *   process.stdout.write(chunk.text)
 * }
 * ```
 *
 * @packageDocumentation
 */

export { RkchatError } from './errors';
export { Generation } from './generation';
export { version } from './native';
export * from './generated';
