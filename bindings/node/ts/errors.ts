import type { ErrorCode } from './generated/types';

/**
 * What rkchat throws and rejects with, besides a `TypeError` for an argument of the wrong type.
 */
export class RkchatError extends Error {
  /** What programs branch on. */
  readonly code: ErrorCode;
  /** Facts for programs, such as `prompt_tokens`; `ErrorCode` says which. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: Record<string, unknown> = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

Object.defineProperty(RkchatError.prototype, 'name', { value: 'RkchatError', configurable: true, writable: true });
