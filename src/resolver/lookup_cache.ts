/** The cache of API answers, the TTLs of each kind of answer, and the budget that pays for lookups. */
import { FEATURE_CACHE_KINDS } from "../../gen/facts.ts";
import { Cache } from "../cache/cache.ts";
import type { OnCacheEvent } from "../cache/cache_events.ts";
import type { Codec } from "../cache/durable_tier.ts";
import type { Confirmation, Fill, OnReplaced } from "../cache/fill.ts";
import type { DurableStore } from "../cache/store.ts";
import type { Config } from "../config/config.ts";
import { API_MEMORY_SEC } from "../config/settings.ts";
import type { Awaitable } from "../lib/awaitable.ts";
import type { Background } from "../lib/background.ts";
import type { CacheKind } from "../observability/metrics/facts.ts";
import type { Change } from "./sandbox_changes.ts";

/** The kinds of answers that are cached; each names its cache in the durable tier and in metrics. */
export type LookupKind = Exclude<CacheKind, "login-session">;

/** TTLs of positive and negative answers, ms. */
interface LookupPolicy {
  readonly ttlMs: number;
  readonly negativeTtlMs: number;
  /** Time past its TTL during which a positive answer may be served while the API is down. */
  readonly staleIfErrorMs: number;
  /** True if a positive answer, which grants nothing, may be as old while the API is slow. */
  readonly staleIfSlow?: boolean;
  /** How positive answers are confirmed, of which one gateway asks for all; undefined if they need not be. */
  readonly confirm?: Confirmation;
}

/** The time for which the API repeats its answer about a sandbox that has become private since, ms. */
const API_MEMORY_MS = 1000 * API_MEMORY_SEC;

/** TTL of a sandbox's visibility, ms, unless the operator chose another: somebody tells when "public" changes. */
const DEFAULT_PUBLIC_TTL_MS = 120_000;

/** Longest TTL of "not public" and of "no warning", ms: somebody may be waiting for that to change. */
const MAX_PRIVATE_TTL_MS = 30_000;

const DOMAINS_TTL_MS = 600_000;

/** The time that clients may remember a signing key, ms, says its API: URLs end that late once it is rotated. */
const SIGNING_KEY_TTL_MS = 15_000;

/** TTL of "not public" and of "no warning", ms. */
export function privateTtlMs(
  { publicTtlMs = MAX_PRIVATE_TTL_MS }: Pick<Config["cache"], "publicTtlMs">,
): number {
  return Math.min(publicTtlMs, MAX_PRIVATE_TTL_MS);
}

/**
 * The policy of every kind. An outage may extend what is known about a sandbox, and what a credential grants only if the
 * operator says so: never what a link grants, as nobody tells when it ends, nor the use of a key by which URLs are signed,
 * as the API bounds that.
 */
function lookupPolicies(
  cache: Config["cache"],
): Readonly<Record<LookupKind, LookupPolicy>> {
  const { publicTtlMs, staleIfErrorMs, tokenRefusedTtlMs: negativeTtlMs } =
    cache;
  const secret = { negativeTtlMs, staleIfErrorMs: 0 };
  const token = {
    ttlMs: cache.tokenTtlMs,
    negativeTtlMs,
    staleIfErrorMs: cache.tokenStaleIfErrorMs,
  };
  const place = {
    ttlMs: cache.runnerTtlMs,
    negativeTtlMs,
    staleIfErrorMs,
    staleIfSlow: true,
  };
  const visibility = {
    ttlMs: publicTtlMs ?? DEFAULT_PUBLIC_TTL_MS,
    negativeTtlMs: privateTtlMs(cache),
    staleIfErrorMs,
  };
  const confirm = {
    afterMs: API_MEMORY_MS + 500, // as long as it is on the way
    ttlMs: cache.privateWithinMs - API_MEMORY_MS,
    onlyIfTold: publicTtlMs === undefined,
  };
  return {
    "sandbox-public": { ...visibility, confirm },
    ...cachedAs(visibility),
    "sandbox-runner-info": place,
    "sandbox-name": place,
    // Nobody tells of changes there.
    "hosted-sandbox": {
      ...visibility,
      negativeTtlMs,
      confirm: {
        ...confirm,
        ttlMs: publicTtlMs ?? confirm.ttlMs,
        onlyIfTold: true,
      },
    },
    "hosted-preview": place,
    "hosted-domains": { ...place, ttlMs: DOMAINS_TTL_MS },
    "sandbox-auth-key-valid": token,
    "sandbox-access": token,
    "sandbox-labels": { ...token, ttlMs: cache.runnerTtlMs }, // they decide what some tokens open
    "signed-token": { ...secret, ttlMs: cache.signedTokenTtlMs },
    "signing-key": { ...secret, ttlMs: SIGNING_KEY_TTL_MS },
  };
}

/** That policy for the kinds of features. */
function cachedAs(
  policy: LookupPolicy,
): Readonly<Record<(typeof FEATURE_CACHE_KINDS)[number], LookupPolicy>> {
  const entries = FEATURE_CACHE_KINDS.map((kind) => ({ [kind]: policy }));
  return Object.assign({}, ...entries);
}

export interface LookupCacheOptions {
  readonly cache: Config["cache"];
  /** Null if answers are cached in process only. */
  readonly store: DurableStore | null;
  readonly now: () => number;
  readonly onEvent: OnCacheEvent;
  readonly background: Background;
}

/** Who is asked: by default, the API. */
export type Asked = "api" | "store";

/** Pays for lookups on behalf of a client. */
export interface Budget {
  /**
   * Pays for a question to the API; or to the gateway's own store, which is free of the API's quota.
   * @throws {GatewayError} if a lookup is forbidden, before the durable tier, the API or the store is asked
   */
  spend(asked?: Asked): void;
}

export const UNMETERED: Budget = { spend() {} };

interface LookupHooks<V> {
  /** The TTL of an answer, if it is not its kind's; it need not be confirmed then. */
  readonly ttlMsOf?: (answer: V) => number | undefined;
  readonly onReplaced?: OnReplaced<V>;
}

/** A cache for one kind of answer, which applies the kind's policy. False and null are negative answers. */
export class LookupCache<V> {
  readonly #policy: LookupPolicy;
  readonly #ttlMsOf: ((answer: V) => number | undefined) | undefined;
  readonly #cache: Cache<V>;
  readonly #now: () => number;
  readonly #background: Background;

  /** A `codec` of null keeps the answers in process. */
  constructor(
    kind: LookupKind,
    codec: Codec<V> | null,
    { cache, store, ...rest }: LookupCacheOptions,
    { ttlMsOf, onReplaced }: LookupHooks<V> = {},
  ) {
    const policy = lookupPolicies(cache)[kind];
    this.#policy = policy;
    this.#ttlMsOf = ttlMsOf;
    this.#now = rest.now;
    this.#background = rest.background;
    this.#cache = new Cache<V>({
      ...rest,
      kind,
      staleIfSlow: policy.staleIfSlow ?? false,
      asksForAll: policy.confirm !== undefined,
      onReplaced,
      maxEntries: cache.maxEntries,
      durable: store && codec && { store, codec },
    });
  }

  /** The answer if it is in process and fresh; undefined otherwise. */
  known(key: string): V | undefined {
    return this.#cache.getFresh(key);
  }

  /**
   * The answer in process if it is fresh, otherwise one from the durable tier or from `ask`, which runs once for all
   * concurrent callers. The first of them calls `onMiss` and spends from `budget`; if that is forbidden, an answer in
   * process that is no longer fresh but still usable is served. No outage extends it past `endsAt`, ms since the epoch.
   * @throws what `budget.spend` or `ask` throws, if no answer may be served instead
   */
  lookUp(
    key: string,
    ask: () => Promise<V>,
    budget: Budget,
    onMiss?: () => void,
    endsAt?: () => number | undefined,
  ): Awaitable<V> {
    const fresh = this.#cache.getFresh(key);
    if (fresh !== undefined) return fresh;
    const fill = async () => this.#fill(await ask(), endsAt?.());
    return this.#cache.get(key, fill, () => {
      onMiss?.();
      budget.spend();
    });
  }

  /** Waits for the answer to `ask` in place of one in process that is past its TTL. Throws as `ask` does. */
  async refresh(key: string, ask: () => Promise<V>): Promise<void> {
    await this.#cache.refresh(key, async () => this.#fill(await ask()));
  }

  /**
   * Fetches an answer before a request needs it, which will report a failure as its own; a negative answer is not cached,
   * as it may have changed by then.
   */
  prefetch(key: string, ask: () => Promise<V>): void {
    const fetched = this.#cache.get(key, async () => {
      const value = await ask();
      return isPositive(value) ? this.#fill(value) : { value, ttlMs: 0 };
    });
    this.#background.add("prefetch answer", fetched.catch(() => {}));
  }

  /** Replaces the answer: in process at once, and in the durable tier while nobody waits. */
  put(key: string, value: V): void {
    const stored = this.#cache.set(key, this.#fill(value));
    this.#background.add("store answer", stored);
  }

  /** Deletes the answer from both tiers, or from the process only, and discards one that is on its way. */
  async forget(key: string, { tiers }: Pick<Change, "tiers">): Promise<void> {
    if (tiers === "both") await this.#cache.delete(key);
    else this.#cache.forgetCopy(key);
  }

  #fill(value: V, endsAt = Infinity): Fill<V> {
    const { negativeTtlMs, confirm, ...positive } = this.#policy;
    // A negative answer never outlives its TTL: in an outage it would refuse a new client for the wrong reason.
    if (!isPositive(value)) return { value, ttlMs: negativeTtlMs };
    const ownTtlMs = this.#ttlMsOf?.(value);
    const ttlMs = ownTtlMs ?? positive.ttlMs;
    const leftMs = Math.max(0, endsAt - this.#now() - ttlMs);
    const staleIfErrorMs = Math.min(positive.staleIfErrorMs, leftMs);
    return ownTtlMs === undefined
      ? { value, ttlMs, staleIfErrorMs, confirm }
      : { value, ttlMs, staleIfErrorMs };
  }
}

function isPositive(answer: unknown): boolean {
  return answer !== false && answer !== null;
}
