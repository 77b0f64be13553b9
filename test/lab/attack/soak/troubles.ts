/** Trouble: the API fails in three ways, the runner restarts, and the load's own process stands still. */
import { setTimeout as delay } from "node:timers/promises";
import type { Outcomes, Trouble } from "./outcomes.ts";
import type { SoakWorld } from "./world.ts";

/** Where troubles are recorded, and by which clock. */
export interface Account {
  readonly outcomes: Pick<Outcomes, "begin">;
  /** The clock of all entries, ms. */
  now(): number;
}

/** A trouble, how long it lasts, and how it is caused and ended. */
interface Injection {
  readonly trouble: Trouble;
  readonly lastsMs: number;
  start(world: SoakWorld): void | Promise<void>;
  end(world: SoakWorld): void | Promise<void>;
}

/** Longer than the gateway waits for a response, ms. */
const SILENCE_MS = 5000;

const INJECTIONS: readonly Injection[] = [
  {
    trouble: "api_unavailable",
    lastsMs: 5000,
    start({ stack: { api } }) {
      api.outage = 503;
    },
    end({ stack: { api } }) {
      api.outage = undefined;
    },
  },
  {
    trouble: "runner_down",
    lastsMs: 1500,
    start: ({ stack: { runner } }) => runner.stop(),
    end: ({ stack: { runner } }) => runner.restart(),
  },
  {
    trouble: "api_refusing",
    lastsMs: 5000,
    start: ({ stack: { api } }) => api.stop(),
    end: ({ stack: { api } }) => api.restart(),
  },
  {
    trouble: "api_silent",
    lastsMs: 5000,
    start({ stack: { api } }) {
      api.fault = async (_, answer) => {
        await delay(SILENCE_MS);
        return await answer();
      };
    },
    end({ stack: { api } }) {
      api.fault = undefined;
    },
  },
];

/**
 * Causes one trouble after the other, with pauses of `pauseMs` milliseconds, until `signal` is aborted; none is left
 * when it resolves.
 */
export async function injectTroubles(
  world: SoakWorld,
  { outcomes, now, pauseMs, signal }: Account & {
    readonly pauseMs: number;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  for (let turn = 0; !signal.aborted; turn++) {
    const injection = INJECTIONS[turn % INJECTIONS.length];
    await delay(pauseMs, undefined, { signal }).catch(() => {});
    if (injection === undefined || signal.aborted) return;
    const recordEnd = outcomes.begin(injection.trouble, now());
    await injection.start(world);
    await delay(injection.lastsMs, undefined, { signal }).catch(() => {});
    await injection.end(world);
    recordEnd(now());
    world.stack.api.calls.length = 0;
  }
}

/** How often a timer looks whether this process stands still, ms. */
const LOOK_MS = 50;

/** A quarter of what the gateway waits for an answer of the API, ms: less cannot fail anybody's request. */
const STALL_MS = 500;

/**
 * Records each stall of this process as a trouble, after it: the API is in it, and answers nobody meanwhile. The
 * function that is returned ends that.
 */
export function watchOwnStalls({ outcomes, now }: Account): () => void {
  let lookedAt = now();
  const timer = setInterval(() => {
    const since = lookedAt;
    lookedAt = now();
    if (lookedAt - since < STALL_MS) return;
    outcomes.begin("load_stalled", since)(lookedAt);
  }, LOOK_MS);
  return () => clearInterval(timer);
}
