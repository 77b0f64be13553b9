import { fulfilsWithin } from "./fulfils_within.ts";

/** Bounds of the delay between two attempts. */
interface Backoff {
  /** Shortest delay, in milliseconds. */
  readonly baseMs: number;
  /** Longest delay, in milliseconds. */
  readonly maxMs: number;
}

/** Settings of {@linkcode retry}; `sleep` is injected so that tests do not wait. */
interface RetryOptions extends Backoff {
  /** Attempts in total, including the first. */
  readonly tries: number;
  /** True if another attempt may help; by default, every failure is retried. */
  readonly retryable?: (error: unknown) => boolean;
  /** Waits between attempts; its rejection ends the retrying. */
  readonly sleep?: Sleep;
}

/** Waits `ms` milliseconds; rejects if the signal aborts first. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

/** {@linkcode Sleep} on the real clock. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  await fulfilsWithin(new Promise(() => {}), ms, signal);
  signal?.throwIfAborted();
}

/**
 * The delay after the `failed`th failed attempt (counted from 1), in milliseconds: uniform between `baseMs` and a
 * ceiling that doubles with each failure up to `maxMs`, so that callers that failed together do not retry together.
 *
 * @param random returns a number in [0, 1)
 *
 * @example The middle of 100 ms and a ceiling of 400 ms:
 * ```ts
 * backoffMs(2, { baseMs: 100, maxMs: 5_000 }, () => 0.5); // 250
 * ```
 */
export function backoffMs(
  failed: number,
  { baseMs, maxMs }: Backoff,
  random: () => number = Math.random,
): number {
  const ceilingMs = Math.min(maxMs, baseMs * 2 ** failed);
  return Math.round(baseMs + random() * Math.max(0, ceilingMs - baseMs));
}

/**
 * Calls `operation` until it succeeds, its failure is not retryable, or the tries are used up.
 *
 * @throws the last failure, or whatever `sleep` rejects with
 */
export async function retry<T>(
  operation: (attempt: number) => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  const {
    tries,
    retryable = () => true,
    sleep: wait = sleep,
  } = options;
  for (let attempt = 1;; attempt++) {
    try {
      return await operation(attempt);
    } catch (error) {
      if (attempt >= tries || !retryable(error)) throw error;
    }
    await wait(backoffMs(attempt, options));
  }
}
