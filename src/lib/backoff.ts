import { fulfilsWithin } from "./fulfils_within.ts";

type Backoff = Readonly<Record<"baseMs" | "maxMs", number>>;

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
 * The delay after the `failed`th failed attempt (from 1), ms: uniform, for a `random` in [0, 1), between `baseMs` and a
 * ceiling that doubles up to `maxMs`, so that callers that failed together do not retry together.
 */
export function backoffMs(
  failed: number,
  { baseMs, maxMs }: Backoff,
  random: () => number = Math.random,
): number {
  const ceilingMs = Math.min(maxMs, baseMs * 2 ** failed);
  return Math.round(baseMs + random() * Math.max(0, ceilingMs - baseMs));
}

/** Calls `operation` until it succeeds; throws its last failure if that is not retryable, or the tries are used up. */
export async function retry<T>(
  operation: (attempt: number) => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  const { tries, retryable = () => true, sleep: wait = sleep } = options;
  for (let attempt = 1;; attempt++) {
    try {
      return await operation(attempt);
    } catch (error) {
      if (attempt >= tries || !retryable(error)) throw error;
    }
    await wait(backoffMs(attempt, options));
  }
}
