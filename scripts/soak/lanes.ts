/** The load's pace: every operation begins at its own rate, and only so many of it are under way at once. */
import type { Accounts, Expectation } from "./accounts.ts";

/** Something that clients do again and again. */
export interface Operation extends Expectation {
  /** Between two beginnings, ms. */
  readonly everyMs: number;
  /** More are not begun before one has ended. */
  readonly atOnce: number;
  /** Resolves to the outcome; what lasts ends early when the signal says so. */
  run(signal: AbortSignal): Promise<string>;
}

/** A running load. */
export interface Load {
  /** Begins nothing any more; resolves to the names of what has not ended within `timeoutMs` milliseconds. */
  stop(timeoutMs: number): Promise<readonly string[]>;
}

/** How late a beginning may be before the lane gives up to catch up, ms. */
const MAX_LAG_MS = 1000;

/** Starts the operations. */
export function startLoad(
  operations: readonly Operation[],
  { accounts, now }: {
    readonly accounts: Accounts;
    readonly now: () => number;
  },
): Load {
  const ending = new AbortController();
  const running = new Map<Promise<void>, string>();
  const timers = new Set<ReturnType<typeof setTimeout>>();

  async function perform(operation: Operation): Promise<void> {
    const startedAt = now();
    const outcome = await operation.run(ending.signal)
      .catch((error) => `error: ${error}`);
    accounts.note(operation, { outcome, startedAt, endedAt: now() });
  }

  function startLane(operation: Operation): void {
    const { everyMs, atOnce } = operation;
    let underWay = 0;
    let dueAt = now() + Math.random() * everyMs;

    function tick(): void {
      while (dueAt <= now() && underWay < atOnce) {
        underWay++;
        const run = perform(operation).finally(() => {
          underWay--;
          running.delete(run);
        });
        running.set(run, operation.name);
        dueAt = Math.max(dueAt + everyMs, now() - MAX_LAG_MS);
      }
      if (underWay >= atOnce) dueAt = Math.max(dueAt, now());
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

  operations.forEach(startLane);
  return {
    async stop(timeoutMs) {
      for (const timer of timers) clearTimeout(timer);
      ending.abort();
      const overdue = Promise.withResolvers<void>();
      const timer = setTimeout(overdue.resolve, timeoutMs);
      await Promise.race([Promise.all(running.keys()), overdue.promise]);
      clearTimeout(timer);
      return [...new Set(running.values())];
    },
  };
}
