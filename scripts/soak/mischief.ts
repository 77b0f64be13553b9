/** Troubles by the clock: the API is away in three ways, and the runner is started anew. */
import { setTimeout as delay } from "node:timers/promises";
import type { Accounts, Trouble } from "./accounts.ts";
import type { SoakWorld } from "./world.ts";

/** A trouble, how long it lasts, and how it is made and mended. */
interface Mischief {
  readonly trouble: Trouble;
  readonly lastsMs: number;
  make(world: SoakWorld): void | Promise<void>;
  mend(world: SoakWorld): void | Promise<void>;
}

/** Longer than the gateway waits for an answer, ms. */
const SILENCE_MS = 5000;

const MISCHIEF: readonly Mischief[] = [
  {
    trouble: "api_unavailable",
    lastsMs: 5000,
    make({ stack: { api } }) {
      api.outage = 503;
    },
    mend({ stack: { api } }) {
      api.outage = undefined;
    },
  },
  {
    trouble: "runner_down",
    lastsMs: 1500,
    make: ({ door }) => door.shut(),
    mend: ({ door }) => door.open(),
  },
  {
    trouble: "api_refusing",
    lastsMs: 5000,
    make: ({ stack: { api } }) => api.stop(),
    mend: ({ stack: { api } }) => api.restart(),
  },
  {
    trouble: "api_silent",
    lastsMs: 5000,
    make({ stack: { api } }) {
      api.fault = async (_, answer) => {
        await delay(SILENCE_MS);
        return await answer();
      };
    },
    mend({ stack: { api } }) {
      api.fault = undefined;
    },
  },
];

/** Makes them one after the other, with pauses of `pauseMs` milliseconds, until the signal; all is well afterwards. */
export async function makeMischief(
  world: SoakWorld,
  { accounts, now, pauseMs, signal }: {
    readonly accounts: Accounts;
    readonly now: () => number;
    readonly pauseMs: number;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  for (let turn = 0; !signal.aborted; turn++) {
    const mischief = MISCHIEF[turn % MISCHIEF.length];
    await delay(pauseMs, undefined, { signal }).catch(() => {});
    if (mischief === undefined || signal.aborted) return;
    const over = accounts.begin(mischief.trouble, now());
    await mischief.make(world);
    await delay(mischief.lastsMs, undefined, { signal }).catch(() => {});
    await mischief.mend(world);
    over(now());
    world.forgetCalls();
  }
}
