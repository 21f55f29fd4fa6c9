import { RkchatError } from './errors';
import { GenerationBase } from './generated/generation';
import type { Chunk, Completion } from './generated/types';
import { handle, type Native } from './native';

/** The longest time that `setTimeout` takes, some 24 days; longer ones never pass. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Takes the listener off a signal that outlives a generation nobody read to its end. */
const collected = new FinalizationRegistry<() => void>((forget) => forget());

/**
 * One answer on its way: an async iterator over its pieces. Leaving a `for await` loop cancels it, and
 * so does letting go of it. Awaiting it gives its text: there is no `await` before a generation that is
 * iterated over, and an `async` function that returns one gives the text as well.
 *
 * Waiting keeps the process alive; a generation that nobody waits for does not.
 */
export class Generation extends GenerationBase implements AsyncIterableIterator<Chunk>, PromiseLike<string> {
  /** Pieces that were taken while waiting for the end, and not read yet. */
  #unread: Chunk[] = [];
  #ended = false;
  #failure: unknown;
  /** The one wait that is going on. */
  #pulling: Promise<void> | undefined;
  #forgetSignal = (): void => {};

  /**
   * Starts a generation that `options.signal` can end.
   *
   * @internal
   */
  static start(options: { signal?: AbortSignal | undefined } | undefined, begin: () => Native): Generation {
    const signal = options?.signal ?? undefined;
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw new TypeError('options.signal must be an AbortSignal');
    }
    const generation = new Generation(begin());
    if (signal?.aborted) {
      generation.cancel();
    } else if (signal) {
      generation.#obey(signal);
    }
    return generation;
  }

  #obey(signal: AbortSignal): void {
    // The signal may live as long as the process: it must not keep the generation alive.
    const weak = new WeakRef(this);
    const abort = (): void => weak.deref()?.cancel();
    signal.addEventListener('abort', abort, { once: true });
    this.#forgetSignal = () => signal.removeEventListener('abort', abort);
    collected.register(this, this.#forgetSignal);
  }

  /**
   * The next piece of the answer. Rejects with `TIMEOUT` when none came in `timeout` milliseconds; the
   * answer then goes on. A failure of the runtime is reported here, after what it had produced.
   *
   * @throws RkchatError
   */
  async next(timeout?: number): Promise<IteratorResult<Chunk, undefined>> {
    const deadline = deadlineOf(timeout);
    while (this.#unread.length === 0 && !this.#ended) {
      if (!(await before(deadline, this.#pull()))) {
        throw new RkchatError('TIMEOUT', `no piece of the answer came in ${timeout} ms; it goes on`);
      }
    }
    const chunk = this.#unread.shift();
    if (chunk) {
      return { value: chunk, done: false };
    }
    if (this.#failure) {
      throw this.#failure;
    }
    return { value: undefined, done: true };
  }

  /** Cancels it: what leaving a `for await` loop does. */
  async return(): Promise<IteratorResult<Chunk, undefined>> {
    this.cancel();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  override cancel(): void {
    this.#unread = [];
    super.cancel();
    this.#forgetSignal();
  }

  override async wait(timeout?: number): Promise<boolean> {
    const deadline = deadlineOf(timeout);
    while (!this.#ended) {
      if (!(await before(deadline, this.#pull()))) {
        return false;
      }
    }
    return true;
  }

  override get text(): Promise<string> {
    return this.wait().then(() => super.text);
  }

  /** As `text.then`, for `await`. */
  then<Fulfilled = string, Rejected = never>(
    onfulfilled?: ((text: string) => Fulfilled | PromiseLike<Fulfilled>) | null,
    onrejected?: ((reason: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Fulfilled | Rejected> {
    return this.text.then(onfulfilled, onrejected);
  }

  override async completion(): Promise<Completion> {
    await this.wait();
    return super.completion();
  }

  /** As `cancel`, for `using`. */
  [Symbol.dispose](): void {
    this.cancel();
  }

  /** As `cancel`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.cancel();
  }

  /** Takes one more piece, or the end, once for all who wait. */
  #pull(): Promise<void> {
    this.#pulling ??= this.#take().finally(() => {
      this.#pulling = undefined;
    });
    return this.#pulling;
  }

  async #take(): Promise<void> {
    try {
      for (;;) {
        let piece: Chunk | null | undefined;
        const more = new Promise<void>((wake) => {
          piece = this[handle].poll(wake);
        });
        if (piece) {
          this.#unread.push(piece);
          return;
        }
        if (piece === null) {
          break;
        }
        await more;
      }
    } catch (failure) {
      this.#failure = failure;
    }
    this.#ended = true;
    this.#forgetSignal();
  }
}

function deadlineOf(timeout: number | undefined): number {
  if (timeout === undefined) {
    return Infinity;
  }
  if (typeof timeout !== 'number' || !(timeout >= 0)) {
    throw new TypeError(`timeout must be a number of milliseconds, 0 or more, got ${String(timeout)}`);
  }
  return performance.now() + timeout;
}

/** Whether `event` came before the deadline. */
async function before(deadline: number, event: Promise<void>): Promise<boolean> {
  const left = deadline - performance.now();
  if (left > LONGEST_TIMER) {
    await event;
    return true;
  }
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, Math.max(left, 0), false);
  });
  try {
    return await Promise.race([event.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
