/**
 * Limits how often a client may be refused, and how much it may ask at once. Every refusal (of a guessed token, an
 * invented label) costs calls to the API, so a client that has used up its budget is told to retry later, and the API is
 * not called.
 *
 * Many users can share one address, and one of them must not lock the others out. So only API lookups count, and they are
 * charged once they have led to a refusal: who waits for a slow API has been refused nothing, and what is cached opens as
 * usual. The lookups under way have a limit of their own, by which the budget can be exceeded, and no further. Any page
 * can make its visitor's browser send requests that are refused: those are counted apart.
 */
import { GatewayError } from "../errors.ts";
import { clientKey } from "../lib/client_key.ts";
import { TokenBuckets } from "../lib/token_bucket.ts";
import type { Asked, Budget } from "../resolver/lookup_cache.ts";

/** The client that lookups are made for. */
export interface ThrottledClient {
  readonly clientAddress: string;
  /** True if a page of another origin sent the request, not its visitor ({@linkcode isSentByPage}). */
  readonly isSentByPage: boolean;
}

/** Limits of each client, and what they are counted by. */
interface ThrottleOptions {
  /** Refused lookups refilled per minute, and the largest burst; a client owes as many at most. */
  readonly refusalsPerMinute: number;
  /** Most lookups under way. */
  readonly lookups: number;
  /** Most clients whose refusals are remembered. */
  readonly maxClients: number;
  /** Current time, ms. */
  readonly now: () => number;
  /** Called before every question to the API; throws if the API is to be spared questions of any stranger. */
  readonly checkQuota?: () => void;
  /** Called with what a client was charged. */
  readonly onCharge?: (client: string, count: number) => void;
}

/** The API lookups that clients may still cause; every client starts with a full budget. */
export class Throttle {
  readonly #options: ThrottleOptions;
  readonly #refusals: TokenBuckets;
  /** The lookups of each client whose outcome is not known yet. */
  readonly #underWay = new Map<string, number>();

  constructor(options: ThrottleOptions) {
    const { refusalsPerMinute: capacity, maxClients: maxKeys, now } = options;
    const refillPerSec = capacity / 60;
    this.#options = options;
    this.#refusals = new TokenBuckets({ capacity, refillPerSec, maxKeys, now });
  }

  budgetFor(client: ThrottledClient): RequestBudget {
    return new RequestBudget(this, client);
  }

  /**
   * Counts a lookup as under way; why not, if the client is over a limit. A request that has begun may also use what its
   * client's budget leaves, so that few end half way: if all were refused, that would still exceed the budget by no more
   * than the limit.
   * @throws {GatewayError} `api_throttled`
   */
  begin(
    client: string,
    isFirst: boolean,
    asked: Asked,
  ): GatewayError | undefined {
    const { lookups, checkQuota } = this.#options;
    if (asked === "api") checkQuota?.();
    const allowance = this.#refusals.check(client);
    if (!allowance.ok) {
      const { retryAfterSec } = allowance;
      const reason = "Client is over its budget";
      return new GatewayError("too_many_refusals", reason, { retryAfterSec });
    }
    const count = this.#underWay.get(client) ?? 0;
    if (count >= lookups + (isFirst ? 0 : this.#refusals.left(client) - 1)) {
      const reason = "Client waits for too many answers of the API";
      return new GatewayError("too_many_lookups", reason);
    }
    this.#underWay.set(client, count + 1);
    return undefined;
  }

  /** Counts lookups as no longer under way, and charges those of a refused request. */
  end(client: string, count: number, isCharged: boolean): void {
    const left = (this.#underWay.get(client) ?? 0) - count;
    if (left > 0) this.#underWay.set(client, left);
    else this.#underWay.delete(client);
    if (!isCharged) return;
    this.#refusals.charge(client, count);
    this.#options.onCharge?.(client, count);
  }

  /** Charges a client for what it was refused elsewhere. */
  charge(client: string, count: number): void {
    this.#refusals.charge(client, count);
  }
}

/** The outcome of the request that lookups were made for. */
export type LookupOutcome =
  | { readonly isAdmitted: boolean }
  | { readonly error: unknown };

/** The budget for one request, whose lookups are under way until it is settled. */
export class RequestBudget implements Budget {
  readonly #throttle: Throttle;
  readonly #client: ThrottledClient;
  #isStopped = false;
  #spent = 0;
  hasLookups = false;

  constructor(throttle: Throttle, client: ThrottledClient) {
    this.#throttle = throttle;
    this.#client = client;
  }

  /** What the client is counted by. */
  get #key(): string {
    const { clientAddress, isSentByPage } = this.#client;
    const client = clientKey(clientAddress);
    return isSentByPage ? `page ${client}` : client;
  }

  /** Begins one lookup; throws `too_many_refusals` or `too_many_lookups` if its client is over a limit, or `api_throttled`. */
  spend(asked: Asked = "api"): void {
    this.hasLookups = true;
    const isFirst = this.#spent === 0;
    const refusal = this.#throttle.begin(this.#key, isFirst, asked);
    if (refusal !== undefined) {
      this.#isStopped = true;
      throw refusal;
    }
    this.#spent++;
  }

  /**
   * Charges the lookups of a request that was refused, or that failed because the client was over a limit or the API
   * throttles the user. Those of a request that was admitted, or failed through no fault of the client, are free.
   */
  settle(outcome: LookupOutcome): void {
    const spent = this.#spent;
    this.#spent = 0;
    if (spent === 0) return;
    const isCharged = "isAdmitted" in outcome
      ? !outcome.isAdmitted
      : this.#isStopped || outcome.error instanceof GatewayError &&
          outcome.error.code === "user_throttled";
    this.#throttle.end(this.#key, spent, isCharged);
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
}
