import { setTimeout as timer } from "node:timers/promises";

/** How often to try and how long to wait in between. */
export interface BackoffOptions {
  /** Attempts in total, the first one included. */
  readonly tries: number;
  /** Shortest delay between two attempts, in milliseconds. */
  readonly baseMs: number;
  /** Longest delay between two attempts, in milliseconds. */
  readonly maxMs: number;
}

/** What {@linkcode retry} takes from outside, so that tests neither wait nor guess. */
export interface RetryOptions extends BackoffOptions {
  /** Whether another attempt can help; every failure counts where it is left out. */
  readonly retryable?: (error: unknown) => boolean;
  /** Waits that many milliseconds; a rejection ends the retrying. */
  readonly sleep?: Sleep;
  /** A number in [0, 1). */
  readonly random?: () => number;
}

/** Waits `ms` milliseconds, or rejects when the signal aborts. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

/** The real {@linkcode Sleep}. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  await timer(ms, undefined, signal && { signal });
}

/**
 * The delay after the `failed`th failed attempt (counted from 1), in milliseconds: uniform between `baseMs` and a ceiling
 * that doubles with each failure up to `maxMs`, so that callers that failed together do not come back together.
 */
export function backoffMs(
  failed: number,
  options: BackoffOptions & { random: () => number },
): number {
  const { baseMs, maxMs, random } = options;
  const ceilingMs = Math.min(maxMs, baseMs * 2 ** failed);
  return Math.round(baseMs + random() * Math.max(0, ceilingMs - baseMs));
}

/**
 * Calls `operation` until it succeeds, its failure is not retryable, or the tries are used up.
 *
 * @throws the last failure, or what `sleep` rejected with.
 */
export async function retry<T>(
  operation: (attempt: number) => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  const {
    tries,
    retryable = () => true,
    sleep: wait = sleep,
    random = Math.random,
  } = options;
  for (let attempt = 1;; attempt++) {
    try {
      return await operation(attempt);
    } catch (error) {
      if (attempt >= tries || !retryable(error)) throw error;
    }
    await wait(backoffMs(attempt, { ...options, random }));
  }
}
