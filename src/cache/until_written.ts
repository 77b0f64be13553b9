/** Writes that are done only if nobody else was faster. */
import { retry, type Sleep } from "../lib/backoff.ts";

/** How often two attempts are made, and how long the pauses become, ms: a second in all, in which hundreds get their turn. */
const PACE = { tries: 16, baseMs: 1, maxMs: 200 };

/** That others were faster each time. */
export class Overtaken extends Error {
  override readonly message = "Others were faster each time";
}

/**
 * What `attempt` resolves to; undefined means that somebody else was faster, and has it tried again: once at once, and
 * then after a pause that grows and is never the same for two.
 * @throws {Overtaken} after some thirty attempts, and whatever `attempt` throws
 */
export function untilWritten<T>(
  attempt: () => Promise<T | undefined>,
  sleep?: Sleep,
): Promise<T> {
  const retryable = (error: unknown) => error instanceof Overtaken;
  return retry(async () => {
    const written = await attempt() ?? await attempt();
    if (written === undefined) throw new Overtaken();
    return written;
  }, { ...PACE, retryable, ...sleep && { sleep } });
}
