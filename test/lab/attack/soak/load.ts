/** The load generator: every operation starts at its own rate, with a limit on how many run at once. */
import { fulfilsWithin } from "../../../../src/lib/fulfils_within.ts";
import type { Expectation, Outcomes } from "./outcomes.ts";

/** Something that clients do repeatedly. */
export interface Operation extends Expectation {
  /** Between two starts, ms. */
  readonly everyMs: number;
  /** The limit of runs at once; the next one waits for one of them to end. */
  readonly atOnce: number;
  /** Resolves to the outcome; a long operation ends early if `signal` is aborted. */
  run(signal: AbortSignal): Promise<string>;
}

/** A running load. */
export interface Load {
  /**
   * Starts nothing more; resolves to the names of the operations that have not ended within `timeoutMs` milliseconds.
   */
  stop(timeoutMs: number): Promise<readonly string[]>;
}

/** As long as a client waits for an answer, ms: longer than a machine that is busy with something else delays it. */
export const PATIENCE_MS = 15_000;

/** An operation that falls further behind its schedule than this skips starts, ms. */
const MAX_LAG_MS = 1000;

/** Starts the operations. */
export function startLoad(
  operations: readonly Operation[],
  { outcomes, now }: {
    readonly outcomes: Outcomes;
    readonly now: () => number;
  },
): Load {
  const stopping = new AbortController();
  const running = new Map<Promise<void>, string>();
  const timers = new Set<ReturnType<typeof setTimeout>>();

  async function perform(operation: Operation): Promise<void> {
    const startedAt = now();
    const outcome = await operation.run(stopping.signal)
      .catch((error) => `error: ${error}`);
    outcomes.record(operation, { outcome, startedAt, endedAt: now() });
  }

  function repeat(operation: Operation): void {
    const { everyMs, atOnce } = operation;
    let active = 0;
    let dueAt = now() + Math.random() * everyMs;

    function tick(): void {
      while (dueAt <= now() && active < atOnce) {
        active++;
        const run = perform(operation).finally(() => {
          active--;
          running.delete(run);
        });
        running.set(run, operation.name);
        dueAt = Math.max(dueAt + everyMs, now() - MAX_LAG_MS);
      }
      if (active >= atOnce) dueAt = Math.max(dueAt, now());
      schedule();
    }

    function schedule(): void {
      const timer = setTimeout(() => {
        timers.delete(timer);
        tick();
      }, Math.max(1, dueAt - now()));
      timers.add(timer);
    }

    schedule();
  }

  operations.forEach(repeat);
  return {
    async stop(timeoutMs) {
      for (const timer of timers) clearTimeout(timer);
      stopping.abort();
      await fulfilsWithin(Promise.all(running.keys()), timeoutMs);
      return [...new Set(running.values())];
    },
  };
}
