/** What the real API remembers of its own answers, which adds to what a gateway remembers of them. */
import { isRefusal } from "./api_refusal.ts";
import type { Caller } from "./api_callers.ts";
import type { OperationName } from "./api_contract.ts";

/** How long a yes and a no are remembered, ms. */
interface Lifetimes {
  readonly yesMs: number;
  readonly noMs: number;
}

const LIFETIMES: Partial<Record<OperationName, Lifetimes>> = {
  isSandboxPublic: { yesMs: 3000, noMs: 3000 },
  isValidAuthToken: { yesMs: 3000, noMs: 3000 },
  // So a token that has changed is shown for a second more.
  getPortPreviewUrl: { yesMs: 1000, noMs: 0 },
  hasSandboxAccess: { yesMs: 30_000, noMs: 3000 },
};

interface Entry {
  readonly answer: unknown;
  readonly until: number;
}

/** The caches of an API. They are off until somebody switches them on. */
export class ApiCache {
  /** True if the API remembers what the real one does, also across a change. */
  isOn = false;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();

  /** `now` is in ms. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The remembered answer, or that of `ask()`. */
  answer(
    operation: OperationName,
    { params, caller }: {
      readonly params: readonly string[];
      readonly caller: Caller | undefined;
    },
    ask: () => unknown,
  ): unknown {
    const lifetimes = LIFETIMES[operation];
    if (!this.isOn || lifetimes === undefined) return ask();
    // To the real one, services are the user `undefined`.
    const user = caller && "id" in caller ? caller.id : undefined;
    const key = JSON.stringify([operation, params, user]);
    const known = this.#entries.get(key);
    if (known !== undefined && this.#now() < known.until) return known.answer;
    const answer = ask();
    const { yesMs, noMs } = lifetimes;
    const until = this.#now() + (isRefusal(answer) ? noMs : yesMs);
    this.#entries.set(key, { answer, until });
    return answer;
  }
}
