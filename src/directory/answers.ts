/** The one table of how long each kind of API answer holds, and how kinds share one way of opening a cache. */
import {
  type Cache,
  type Codec,
  createCache,
  type Fill,
  type OnCacheEvent,
} from "../cache/cache.ts";
import type { DurableStore } from "../cache/store.ts";
import type { Config } from "../config.ts";
import type { Background } from "../lib/background.ts";

/** The kinds of answers that are kept; each names its cache in the durable tier and in metrics. */
export type AnswerKind =
  | "sandbox-public"
  | "sandbox-runner-info"
  | "sandbox-auth-key-valid"
  | "sandbox-access"
  | "signed-token";

/** How long a "yes" and a "no" hold, and how long either may stand in while the API is down; ms. */
export interface AnswerPolicy {
  readonly ttlMs: number;
  readonly refusedTtlMs: number;
  readonly staleIfErrorMs: number;
}

/** A "not public" or "no such runner" is the answer that a user is waiting to see changed. */
const REFUSED_LOOKUP_TTL_MS = 30_000;

/** The policy of every kind; an outage may prolong where a sandbox is, never who may enter it. */
export function answerPolicies(
  cache: Config["cache"],
): Readonly<Record<AnswerKind, AnswerPolicy>> {
  const { staleIfErrorMs, tokenRefusedTtlMs } = cache;
  const token = {
    ttlMs: cache.tokenTtlMs,
    refusedTtlMs: tokenRefusedTtlMs,
    staleIfErrorMs: 0,
  };
  return {
    "sandbox-public": {
      ttlMs: cache.publicTtlMs,
      refusedTtlMs: Math.min(cache.publicTtlMs, REFUSED_LOOKUP_TTL_MS),
      staleIfErrorMs,
    },
    "sandbox-runner-info": {
      ttlMs: cache.runnerTtlMs,
      refusedTtlMs: tokenRefusedTtlMs,
      staleIfErrorMs,
    },
    "sandbox-auth-key-valid": token,
    "sandbox-access": token,
    "signed-token": { ...token, ttlMs: cache.signedTokenTtlMs },
  };
}

/** What all answer caches are built from. */
export interface AnswerCacheOptions {
  readonly cache: Config["cache"];
  readonly store: DurableStore | null;
  readonly now: () => number;
  readonly onEvent: OnCacheEvent;
  readonly background: Background;
}

/** Pays for one lookup, before the API is asked; throws to forbid it. */
export type Charge = () => void;

/** Lookups that nobody pays for. */
export const FREE: Charge = (): void => {};

/** A cache of one kind of answer that applies its policy. */
export interface AnswerCache<V> {
  /** The answer for `key` where it is at hand in process and fresh; undefined otherwise. */
  known(key: string): V | undefined;
  /**
   * The answer for `key`: without a promise if it is at hand in process, else from a tier behind or from `ask`, which
   * runs once at a time for each key. If `charge` throws, an answer that is past its time but still good stands in.
   */
  lookUp(key: string, ask: () => Promise<V>, charge: Charge): V | Promise<V>;
  /** The same for nobody yet: a "no" is not kept, as it may be another one when somebody comes. */
  anticipate(key: string, ask: () => Promise<V>): Promise<V>;
  /** Replaces the answer in every tier. */
  put(key: string, value: V): Promise<void>;
}

/** Opens the cache of one kind; `isYes` tells a grant from a refusal. */
export function openAnswerCache<V>(
  kind: AnswerKind,
  codec: Codec<V>,
  options: AnswerCacheOptions & { isYes: (value: V) => boolean },
): AnswerCache<V> {
  const policy = answerPolicies(options.cache)[kind];
  const cache: Cache<V> = createCache<V>({
    policy: {
      kind,
      maxEntries: options.cache.maxEntries,
      staleIfErrorMs: policy.staleIfErrorMs,
    },
    durable: options.store && { store: options.store, codec },
    now: options.now,
    onEvent: options.onEvent,
    background: options.background,
  });

  function filled(value: V): Fill<V> {
    // A "no" never outlives its time: in an outage it would keep a newcomer out with a wrong reason.
    return options.isYes(value)
      ? { value, ttlMs: policy.ttlMs }
      : { value, ttlMs: policy.refusedTtlMs, staleIfErrorMs: 0 };
  }

  return {
    known: (key) => cache.getFresh([key]),
    lookUp(key, ask, charge) {
      const known = cache.getFresh([key]);
      if (known !== undefined) return known;
      if (!cache.isPending([key])) {
        try {
          charge();
        } catch (refusal) {
          const usable = cache.getUsable([key]);
          if (usable === undefined) throw refusal;
          return usable;
        }
      }
      return cache.get([key], async () => filled(await ask()));
    },
    anticipate: (key, ask) =>
      cache.get([key], async () => {
        const value = await ask();
        return options.isYes(value) ? filled(value) : { value, ttlMs: 0 };
      }),
    put: (key, value) => cache.set([key], filled(value)),
  };
}

/** Carries a boolean across the durable tier. */
export const booleanCodec: Codec<boolean> = {
  encode: (value) => value,
  decode: (json) => typeof json === "boolean" ? json : undefined,
};
