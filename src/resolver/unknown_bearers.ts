/**
 * How often visitors' bearers that nobody has seen before may be asked about: an API blocks an address that has sent it a
 * few wrong ones, for good keys too, and here that would be the gateway's own address.
 *
 * A bearer that the API has known lately is free. For others there is a budget for each client, one for all of them, and a
 * stop at half of what the API says that it tolerates. Few are asked about at once, as each may be one more.
 */
import type { OnUserAnswer, UserAnswer } from "../daytona/api.ts";
import { numberIn } from "../daytona/quota.ts";
import { GatewayError } from "../errors.ts";
import { clientKey } from "../lib/client_key.ts";
import { isPending } from "../lib/cooldown.ts";
import { ExpiringLru } from "../lib/lru.ts";
import { TokenBuckets } from "../lib/token_bucket.ts";

/** Most bearers that are asked about at once. */
const AT_ONCE = 2;

/** Most questions that wait for their turn: the API answers within a second, or all of them fail. */
const MAX_WAITING = 32;

/** Refused bearers of all clients: 5 at once, and 8 in 5 minutes, as 10 are known to be tolerated in that time. */
const ALL = { capacity: 5, refillPerSec: 1 / 90 };

/** Refused bearers of one client. */
const CLIENT = { capacity: 3, refillPerSec: 1 / 180 };

/** The time that a bearer is known to be somebody's, ms. */
const KNOWN_MS = 3_600_000;

/** The time that a bearer is known to be nobody's, whatever the sandbox, ms. */
const REFUSED_MS = 60_000;

/** Longest stop that the API can ask for, ms. */
const MAX_STOP_MS = 900_000;

/** Wait that is advised to whoever comes while too many wait, seconds. */
const CROWDED_SEC = 2;

interface PresentedBearer {
  readonly digest: string;
  readonly clientAddress: string;
}

export class UnknownBearers {
  readonly #now: () => number;
  readonly #known: ExpiringLru<string, true>;
  readonly #refused: ExpiringLru<string, true>;
  readonly #all: TokenBuckets;
  readonly #clients: TokenBuckets;
  /** The questions that wait for their turn. */
  readonly #waiting: PromiseWithResolvers<void>[] = [];
  #asking = 0;
  #stoppedUntil = -Infinity;

  /** `max` bearers, and as many clients, are remembered; `now` is in ms. */
  constructor(max: number, now: () => number) {
    this.#now = now;
    this.#known = new ExpiringLru({ max, ttlMs: KNOWN_MS, now });
    this.#refused = new ExpiringLru({ max, ttlMs: REFUSED_MS, now });
    this.#all = new TokenBuckets({ ...ALL, maxKeys: 1, now });
    this.#clients = new TokenBuckets({ ...CLIENT, maxKeys: max, now });
  }

  /**
   * The result of a question about a bearer, `refused` if that is nobody's; `ask` passes the API's answers on.
   * @throws {GatewayError} `too_many_refusals` if the client has had too many refused, `api_throttled` if all clients
   * together have; what `ask` throws
   */
  async ask<T>(
    bearer: PresentedBearer,
    ask: (onAnswer: OnUserAnswer) => Promise<T>,
    refused: T,
  ): Promise<T> {
    const isRefused = () => this.#refused.has(bearer.digest);
    const isKnown = () => this.#known.has(bearer.digest);
    const note = (answer: UserAnswer) => this.#note(answer, bearer);
    if (isRefused()) return refused;
    if (isKnown()) return await ask(note);
    await this.#turn();
    let failure: unknown;
    try {
      if (isRefused()) return refused;
      if (isKnown()) return await ask(note);
      const refund = this.#spend(bearer);
      // An answer that is none of the API's says nothing about the bearer, and is not counted there.
      return await ask(note).finally(() => {
        if (!isRefused()) refund();
      });
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      this.#next(failure);
    }
  }

  /** Waits until few enough are asked about. */
  async #turn(): Promise<void> {
    if (this.#asking < AT_ONCE) {
      this.#asking++;
      return;
    }
    if (this.#waiting.length >= MAX_WAITING) throw throttled(CROWDED_SEC);
    const turn = Promise.withResolvers<void>();
    this.#waiting.push(turn);
    await turn.promise;
  }

  /** Passes the turn on. If the API does not answer, those who wait need not find that out for themselves. */
  #next(failure: unknown): void {
    if (failure instanceof GatewayError && failure.code === "api_unreachable") {
      for (const { reject } of this.#waiting.splice(0)) reject(failure);
    }
    const next = this.#waiting.shift();
    if (next === undefined) this.#asking--;
    else next.resolve();
  }

  /** Pays for a question; what it returns gives that back. */
  #spend({ clientAddress }: PresentedBearer): () => void {
    const now = this.#now();
    if (isPending(this.#stoppedUntil, { now, withinMs: MAX_STOP_MS })) {
      throw throttled(Math.ceil((this.#stoppedUntil - now) / 1000));
    }
    const client = clientKey(clientAddress);
    const own = this.#clients.take(client);
    if (!own.ok) {
      const { retryAfterSec } = own;
      const reason = "Client is over its budget for unknown bearers";
      throw new GatewayError("too_many_refusals", reason, { retryAfterSec });
    }
    const all = this.#all.take("");
    if (!all.ok) {
      this.#clients.giveBack(client, 1);
      throw throttled(all.retryAfterSec);
    }
    return () => {
      this.#clients.giveBack(client, 1);
      this.#all.giveBack("", 1);
    };
  }

  /** Learns from an answer whether the bearer is somebody's, and how many wrong ones the API still tolerates. */
  #note({ status, headers }: UserAnswer, { digest }: PresentedBearer): void {
    if (status === 408 || status >= 500) return;
    const blockedSec = numberIn(headers, "retry-after");
    if (status === 429 && blockedSec !== undefined) {
      return this.#stop(blockedSec); // by address; a quota's has another name
    }
    if (status !== 401) {
      this.#known.set(digest, true);
      return;
    }
    this.#known.delete(digest);
    this.#refused.set(digest, true);
    const limit = numberIn(headers, "x-ratelimit-limit-failed-auth");
    const left = numberIn(headers, "x-ratelimit-remaining-failed-auth");
    const resetSec = numberIn(headers, "x-ratelimit-reset-failed-auth");
    if (limit === undefined || left === undefined) return;
    if (left <= limit / 2 && resetSec !== undefined) this.#stop(resetSec);
  }

  #stop(seconds: number): void {
    this.#stoppedUntil = this.#now() + Math.min(seconds * 1000, MAX_STOP_MS);
  }
}

function throttled(retryAfterSec: number): GatewayError {
  const reason = "Visitors have presented too many bearers that are nobody's";
  return new GatewayError("api_throttled", reason, { retryAfterSec });
}
