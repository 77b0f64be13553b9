/** The API's throttlers: of bearers that are not valid, by address; and the quotas of organizations. */
import type { Caller, Callers } from "./api_callers.ts";
import type { ApiState, Limit } from "./api_state.ts";

/** A throttler's part in an answer: the headers, and whether they belong to a 429. */
export interface Throttled {
  readonly isOver: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

const UNLIMITED: Throttled = { isOver: false, headers: {} };

/** Throttles by the limits of a database. */
export class ApiThrottle {
  readonly #state: Pick<ApiState, "limits">;
  readonly #failures: Counters;
  readonly #calls: Counters;
  readonly #starts: Counters;

  /** `now` is in ms. */
  constructor(state: Pick<ApiState, "limits">, now: () => number) {
    this.#state = state;
    this.#failures = new Counters(now);
    this.#calls = new Counters(now);
    this.#starts = new Counters(now);
  }

  /** Counts a call. An address that is blocked is so for good bearers too. */
  call(
    { address }: { readonly address: string },
    { callers, isLifecycle = false, caller }: {
      readonly callers: Callers;
      /** True for a start or stop. */
      readonly isLifecycle?: boolean;
      /** The owner of the bearer, if it is valid. */
      readonly caller: Caller | undefined;
    },
  ): Throttled {
    if (callers === "anyone") return UNLIMITED;
    const isFailed = caller === undefined;
    const throttled = this.#address(address, isFailed);
    if (isFailed || throttled.isOver) return throttled;
    if (caller.kind === "service") return UNLIMITED;
    const [organization = ""] = caller.organizations;
    return isLifecycle
      ? this.#quota(organization, "sandbox-lifecycle")
      : this.#quota(organization, "authenticated");
  }

  #address(address: string, isFailed: boolean): Throttled {
    const limit = this.#state.limits.failedAuth;
    if (limit === undefined) return UNLIMITED;
    const { count, resetSec } = this.#failures.count(address, limit, isFailed);
    const isOver = count >= limit.limit;
    return {
      isOver,
      headers: {
        ...rateLimitHeaders("failed-auth", { count, resetSec, limit }),
        ...isOver && { "Retry-After": `${resetSec}` },
      },
    };
  }

  #quota(
    organization: string,
    name: "authenticated" | "sandbox-lifecycle",
  ): Throttled {
    const { authenticated, sandboxLifecycle } = this.#state.limits;
    const [limit, counters] = name === "authenticated"
      ? [authenticated, this.#calls]
      : [sandboxLifecycle, this.#starts];
    if (limit === undefined) return UNLIMITED;
    const { count, resetSec } = counters.count(organization, limit, true);
    const isOver = count > limit.limit;
    return {
      isOver,
      headers: isOver
        ? { [`Retry-After-${name}`]: `${resetSec}` }
        : rateLimitHeaders(name, { count, resetSec, limit }),
    };
  }
}

function rateLimitHeaders(
  name: string,
  { count, resetSec, limit }: {
    readonly count: number;
    readonly resetSec: number;
    readonly limit: Limit;
  },
): Record<string, string> {
  return {
    [`X-RateLimit-Limit-${name}`]: `${limit.limit}`,
    [`X-RateLimit-Remaining-${name}`]: `${Math.max(0, limit.limit - count)}`,
    [`X-RateLimit-Reset-${name}`]: `${resetSec}`,
  };
}

/** Counts by key, each within a time that begins with its first count. */
class Counters {
  readonly #now: () => number;
  readonly #windows = new Map<string, { count: number; endsAt: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The count, after adding one if so asked, and the whole seconds until it begins anew. */
  count(
    key: string,
    { ttlMs }: Limit,
    adds: boolean,
  ): { readonly count: number; readonly resetSec: number } {
    const now = this.#now();
    const known = this.#windows.get(key);
    const window = known && now < known.endsAt
      ? known
      : { count: 0, endsAt: now + ttlMs };
    if (adds) {
      window.count++;
      this.#windows.set(key, window);
    }
    const resetSec = Math.ceil((window.endsAt - now) / 1000);
    return { count: window.count, resetSec };
  }
}
