/** Scheduled fault injection: the API fails in three ways, and the runner restarts. */
import { setTimeout as delay } from "node:timers/promises";
import type { Accounts, Trouble } from "./accounts.ts";
import type { SoakWorld } from "./world.ts";

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
    start: ({ door }) => door.shut(),
    end: ({ door }) => door.open(),
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
  { accounts, now, pauseMs, signal }: {
    readonly accounts: Accounts;
    readonly now: () => number;
    readonly pauseMs: number;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  for (let turn = 0; !signal.aborted; turn++) {
    const injection = INJECTIONS[turn % INJECTIONS.length];
    await delay(pauseMs, undefined, { signal }).catch(() => {});
    if (injection === undefined || signal.aborted) return;
    const recordEnd = accounts.begin(injection.trouble, now());
    await injection.start(world);
    await delay(injection.lastsMs, undefined, { signal }).catch(() => {});
    await injection.end(world);
    recordEnd(now());
    world.forgetCalls();
  }
}
