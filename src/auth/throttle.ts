/**
 * Limits how often a client may be refused. Every refusal (of a guessed token, an invented label) costs calls to the
 * API, so a client that has used up its budget is told to retry later, and the API is not called.
 *
 * Many users can share one address, and one of them must not lock the others out. So only API lookups are paid for,
 * before they are sent, and those that led to an admission are refunded: what is cached opens as usual. Any page can make
 * its visitor's browser send requests that are refused: those have a budget of their own.
 */
import { GatewayError } from "../errors.ts";
import { clientKey } from "../lib/client_key.ts";
import { TokenBuckets } from "../lib/token_bucket.ts";
import type { Budget } from "../resolver/lookup_cache.ts";

/** The client that pays for lookups. */
export interface ThrottledClient {
  readonly clientAddress: string;
  /** True if a page of another origin sent the request, not its visitor ({@linkcode isSentByPage}). */
  readonly isSentByPage: boolean;
}

/** The API lookups that clients may still cause; every client starts with full budgets. */
export class Throttle {
  readonly #buckets: TokenBuckets;
  readonly #checkQuota: () => void;

  constructor({ refusalsPerMinute, maxClients, now, checkQuota }: {
    /** Lookups refilled per minute, and the largest burst. */
    readonly refusalsPerMinute: number;
    /** Most clients tracked. */
    readonly maxClients: number;
    /** Current time, ms. */
    readonly now: () => number;
    /** Called before every lookup; throws if the API is to be spared questions of any stranger. */
    readonly checkQuota?: () => void;
  }) {
    this.#checkQuota = checkQuota ?? (() => {});
    this.#buckets = new TokenBuckets({
      capacity: refusalsPerMinute,
      refillPerSec: refusalsPerMinute / 60,
      maxKeys: maxClients,
      now,
    });
  }

  /** The budget for one request of that client. */
  budgetFor(caller: ThrottledClient): RequestBudget {
    return new RequestBudget(this.#buckets, caller, this.#checkQuota);
  }
}

/** The outcome of the request that lookups were made for. */
export type LookupOutcome =
  | { readonly isAdmitted: boolean }
  | { readonly error: unknown };

/** The budget for one request; what the request spends is the client's until it is settled. */
export class RequestBudget implements Budget {
  readonly #buckets: TokenBuckets;
  readonly #caller: ThrottledClient;
  readonly #checkQuota: () => void;
  #isUsedUp = false;
  #spent = 0;
  /** True if any lookup was attempted. */
  hasLookups = false;

  constructor(
    buckets: TokenBuckets,
    caller: ThrottledClient,
    checkQuota: () => void,
  ) {
    this.#buckets = buckets;
    this.#caller = caller;
    this.#checkQuota = checkQuota;
  }

  /** Pays for one lookup; throws `too_many_refusals` if the client's budget is used up, or `api_throttled`. */
  spend(): void {
    this.hasLookups = true;
    this.#checkQuota();
    const allowance = this.#buckets.take(keyOf(this.#caller));
    if (!allowance.ok) {
      this.#isUsedUp = true;
      const { retryAfterSec } = allowance;
      const reason = "Client is over its budget";
      throw new GatewayError("too_many_refusals", reason, { retryAfterSec });
    }
    this.#spent++;
  }

  /**
   * Refunds the lookups of a request that was admitted, or that failed through no fault of the client. Those of a
   * refused request are lost, and those of one that failed because the budget was used up or the API throttles the user.
   */
  settle(outcome: LookupOutcome): void {
    const spent = this.#spent;
    this.#spent = 0;
    if (spent > 0 && this.#isRefunded(outcome)) {
      this.#buckets.giveBack(keyOf(this.#caller), spent);
    }
  }

  /** The result of `work`, or its failure, by which the budget is settled. */
  async settledBy<T>(
    work: Promise<T>,
    isAdmission: (result: T) => boolean,
  ): Promise<T> {
    try {
      const result = await work;
      this.settle({ isAdmitted: isAdmission(result) });
      return result;
    } catch (error) {
      this.settle({ error });
      throw error;
    }
  }

  #isRefunded(outcome: LookupOutcome): boolean {
    if ("isAdmitted" in outcome) return outcome.isAdmitted;
    const { error } = outcome;
    return !this.#isUsedUp &&
      !(error instanceof GatewayError && error.code === "user_throttled");
  }
}

/** The key of a client's bucket. */
function keyOf({ clientAddress, isSentByPage }: ThrottledClient): string {
  const client = clientKey(clientAddress);
  return isSentByPage ? `page ${client}` : client;
}
