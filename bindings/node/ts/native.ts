import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { RkchatError } from './errors';
import { type ErrorCode, SURFACE_HASH } from './generated/types';

/** An object of the native half. It checks every argument; the classes over it have the types. */
export type Native = Record<string, any>;

/** Where a class keeps its native object. */
export const handle = Symbol('rkchat.handle');

/** The native half. */
export const binding: Native = load();

/** The version of rkchat. */
export const version: string = binding.version();

function load(): Native {
  const folder = join(__dirname, '..');
  const file = join(folder, 'rkchat.node');
  if (!existsSync(file)) {
    throw new Error(
      `rkchat's native half is not there: ${file}. The package has it for Linux with glibc; in a ` +
        'checkout, `make` builds it.',
    );
  }
  const native: Native = require(file);
  if (native.surfaceHash() !== SURFACE_HASH) {
    throw new Error(`${file} belongs to another version of rkchat; install or build the package again`);
  }
  native.init(makeError, pathOfUrl, join(folder, 'runtime'));
  return native;
}

function makeError(code: ErrorCode | '', message: string, details: string): Error {
  const error = code === '' ? new TypeError(message) : new RkchatError(code, message, JSON.parse(details));
  // The trace begins where the program called.
  Error.captureStackTrace(error, makeError);
  return error;
}

function pathOfUrl(value: unknown): string | undefined {
  return value instanceof URL ? fileURLToPath(value) : undefined;
}

/** Refuses what a program passed to a constructor, for handles come from functions only. */
export function adopt(native: Native, name: string): Native {
  if (!(native instanceof binding[name])) {
    throw new TypeError(`${name} has no public constructor`);
  }
  return native;
}

/** The native object of a handle; other values as they are, for the native half to refuse. */
export function unwrap(value: unknown): unknown {
  return (value as { [handle]?: Native } | null | undefined)?.[handle] ?? value;
}
