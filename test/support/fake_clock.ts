/** Time that passes only when a test says so. */
import { setImmediate as turn } from "node:timers/promises";

/** Replaces this thread's timers, `performance.now()` and `Date.now()` until it is disposed of. */
export interface FakeClock extends Disposable {
  /** Lets time pass, and calls the timers that become due, the earliest first. */
  pass(ms: number): void;
}

/** The real time, also while a clock has stopped it. */
export const realNow = performance.now.bind(performance);

/**
 * Lets time pass until work is done that has pauses of its own: a millisecond at most in each turn of the event loop, and
 * never faster than really, so that a busy machine's I/O is not late by a deadline.
 */
export async function passDuring<T>(
  clock: FakeClock,
  work: Promise<T>,
  now: () => number = realNow,
): Promise<T> {
  let isDone = false;
  const done = work.finally(() => isDone = true);
  done.catch(() => {}); // it is thrown below
  const startedAt = now();
  for (let passedMs = 0; !isDone;) {
    await turn();
    if (now() - startedAt < passedMs + 1) continue;
    clock.pass(1);
    passedMs++;
  }
  return await done;
}

/** A timer that has been started. */
interface Timer {
  readonly callback: () => void;
  readonly dueAt: number;
  /** The period of an interval, ms; undefined for a timer that is called once. */
  readonly everyMs?: number;
}

/** Above the numbers of real timers: `Deno.unrefTimer()` gets these too. */
const FIRST_ID = 1_000_000_000;

/** Stops the clock; what waits for I/O goes on. */
export function fakeClock(): FakeClock {
  const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis;
  const timers = new Map<number, Timer>();
  const { now: realNow } = Date;
  const startedAt = realNow();
  let now = 0;
  let nextId = FIRST_ID;

  function start(timer: Timer): number {
    timers.set(nextId, timer);
    return nextId++;
  }

  function stop(id: number): void {
    timers.delete(id);
  }

  function earliestUntil(end: number): [number, Timer] | undefined {
    return [...timers].filter(([, { dueAt }]) => dueAt <= end)
      .sort(([, one], [, other]) => one.dueAt - other.dueAt)[0];
  }

  Object.assign(globalThis, {
    setTimeout: (callback: () => void, ms = 0) =>
      start({ callback, dueAt: now + ms }),
    setInterval: (callback: () => void, everyMs: number) =>
      start({ callback, dueAt: now + everyMs, everyMs }),
    clearTimeout: stop,
    clearInterval: stop,
  });
  Date.now = () => startedAt + now;
  Object.defineProperty(performance, "now", {
    value: () => now,
    configurable: true,
  });
  return {
    pass(ms) {
      const end = now + ms;
      for (let due; (due = earliestUntil(end)) !== undefined;) {
        const [id, { callback, dueAt, everyMs }] = due;
        now = dueAt;
        if (everyMs === undefined) stop(id);
        else timers.set(id, { callback, dueAt: dueAt + everyMs, everyMs });
        callback();
      }
      now = end;
    },
    [Symbol.dispose]() {
      Object.assign(globalThis, {
        setTimeout,
        setInterval,
        clearTimeout,
        clearInterval,
      });
      Date.now = realNow;
      Reflect.deleteProperty(performance, "now");
    },
  };
}
