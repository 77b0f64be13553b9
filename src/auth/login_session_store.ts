/**
 * The state of every login session, by session id: in process, and behind that in the durable tier. Unlike an answer of
 * the API, a session's state has no source to be filled from again, so this is a store with a local copy, not a cache.
 */
import { LRUCache } from "lru-cache";
import { type OnCacheEvent, RECHECK_MS } from "../cache/cache.ts";
import { type Codec, DurableTier } from "../cache/durable_tier.ts";
import { timesOf } from "../cache/entry.ts";
import { SingleFlight } from "../cache/single_flight.ts";
import type { DurableStore } from "../cache/store.ts";
import { GatewayError } from "../errors.ts";
import { isPending } from "../lib/is_pending.ts";
import type { Sealer } from "../lib/seal.ts";
import type { CacheEvent, CacheKind } from "../observability/metrics/facts.ts";
import type { Tokens } from "./oidc/provider.ts";
import type { LoginSession } from "./session.ts";

/** An open session: the tokens behind it. */
export interface OpenState extends Tokens {
  readonly state: "open";
}

/** The state of one login session. */
export type SessionState = OpenState | { readonly state: "ended" };

/** Reads and writes the states of login sessions. */
export interface LoginSessionStore {
  /**
   * The state of a session, undefined if no tier knows the session. What another gateway wrote to a shared durable tier
   * is seen within {@linkcode RECHECK_MS}.
   *
   * @throws {GatewayError} `session_unavailable` if there is no local copy and the durable tier cannot be read
   */
  get(
    id: string,
  ): SessionState | undefined | Promise<SessionState | undefined>;
  /**
   * The state of a session as a shared durable tier has it now; an entry that cannot be decoded counts as unknown. If
   * the tier is not shared or cannot be reached, the same as {@linkcode LoginSessionStore.get}.
   *
   * @throws {GatewayError} `session_unavailable`, as {@linkcode LoginSessionStore.get} does
   */
  getLatest(id: string): Promise<SessionState | undefined>;
  /**
   * Replaces the state of a session in both tiers. Resolves when the durable tier is done, which may lose the write.
   */
  set(session: LoginSession, state: SessionState): Promise<void>;
  /** Whether the durable tier has the session as ended; true if there is no such tier. */
  isEndStored(id: string): Promise<boolean>;
}

/** Dependencies of the store. */
export interface LoginSessionStoreOptions {
  /** The durable tier; null if states are kept in process only. */
  readonly store: DurableStore | null;
  /** Access tokens leave the process sealed only. */
  readonly sealer: Sealer;
  /** Most local copies kept; the least recently used is evicted first. */
  readonly maxEntries: number;
  /** Current time, ms since the epoch. */
  readonly now: () => number;
  readonly onEvent: OnCacheEvent;
}

/** First part of the keys in the durable tier, and a label of metrics. */
const KIND: CacheKind = "login-session";

/**
 * How much longer than the session its state is kept, ms: clocks of machines differ, and the expiry of a seal is
 * rounded down to a second.
 */
const KEEP_AFTER_EXPIRY_MS = 60_000;

/** What the durable tier may hold: `unreadable` is sealed with a key that we do not have, or of an unknown format. */
type StoredState = SessionState | "unreadable";

/** A local copy of a state. */
interface Copy {
  readonly state: SessionState;
  /** When a shared durable tier has to be read again, ms since the epoch; Infinity if nobody else writes to it. */
  recheckAt: number;
}

function isSessionState(value: unknown): value is SessionState {
  if (typeof value !== "object" || value === null) return false;
  const { state, accessToken } = value as Record<string, unknown>;
  return state === "ended" ||
    state === "open" && typeof accessToken === "string";
}

function sealedStates(sealer: Sealer): Codec<StoredState> {
  // `standing` is the member's name in the stored format, which gateways of other versions read too.
  return {
    encode: (state, staleUntil) => sealer.seal({ standing: state }, staleUntil),
    async decode(json) {
      if (typeof json !== "string") return "unreadable";
      const state = (await sealer.open(json))?.standing;
      return isSessionState(state) ? state : "unreadable";
    },
  };
}

/** Creates the store. */
export function createLoginSessionStore(
  { store, sealer, maxEntries, now, onEvent }: LoginSessionStoreOptions,
): LoginSessionStore {
  const copies = new LRUCache<string, Copy>({ max: maxEntries });
  const reads = new SingleFlight<SessionState | undefined>();
  const recheckMs = store?.shared ? RECHECK_MS : Infinity;
  const tier = store === null ? undefined : new DurableTier({
    store,
    codec: sealedStates(sealer),
    kind: KIND,
    onCodecFailure: (cause) => report("codec_failed", cause),
  });

  function report(event: CacheEvent, cause?: unknown): void {
    onEvent(event, KIND, cause);
  }

  async function readStored(
    id: string,
  ): Promise<StoredState | "absent" | "unavailable"> {
    const found = await tier?.read([id]) ?? "absent";
    if (typeof found === "string") return found;
    if (found.value === "unreadable") report("codec_failed");
    return found.value;
  }

  /** Brings the local copy in line with the durable tier. Callers that come meanwhile share one read. */
  function reread(id: string): Promise<SessionState | undefined> {
    return reads.share(id, async (isCurrent) => {
      const stored = await readStored(id);
      if (!isCurrent()) return await get(id); // replaced while we read
      const recheckAt = now() + recheckMs;
      if (stored === "absent") {
        report("miss");
        copies.delete(id);
        return undefined;
      }
      if (stored === "unavailable" || stored === "unreadable") {
        const copy = copies.get(id);
        if (copy === undefined) {
          report("fill_failed");
          throw new GatewayError(
            "session_unavailable",
            `The stored state is ${stored}`,
          );
        }
        report("stale");
        copy.recheckAt = recheckAt;
        return copy.state;
      }
      report("durable_hit");
      copies.set(id, { state: stored, recheckAt });
      return stored;
    });
  }

  function get(
    id: string,
  ): SessionState | undefined | Promise<SessionState | undefined> {
    const copy = copies.get(id);
    const recheck = { now: now(), withinMs: recheckMs };
    // An end is final: a logout that the durable tier lost holds here at least.
    const isCurrent = copy?.state.state === "ended" ||
      copy !== undefined && isPending(copy.recheckAt, recheck);
    if (!isCurrent) return reread(id);
    report("hit");
    return copy.state;
  }

  return {
    get,

    async getLatest(id) {
      const copy = copies.get(id);
      const hasEnded = copy?.state.state === "ended";
      const stored = store?.shared && !hasEnded
        ? await readStored(id)
        : "unavailable";
      if (stored === "unavailable") return await get(id);
      if (typeof stored === "string") return undefined;
      const current = copies.get(id);
      if (current?.state.state === "ended") return current.state;
      if (current === copy) { // not replaced while we read
        reads.forget(id);
        copies.set(id, { state: stored, recheckAt: now() + recheckMs });
      }
      return stored;
    },

    async set({ id, expiresAt }, state) {
      const setAt = now();
      reads.forget(id);
      copies.set(id, { state, recheckAt: setAt + recheckMs });
      const ttlMs = expiresAt + KEEP_AFTER_EXPIRY_MS - setAt;
      const times = timesOf({ now: setAt, ttlMs, staleIfErrorMs: 0 });
      await tier?.write([id], { ...times, value: state });
    },

    async isEndStored(id) {
      if (tier === undefined) return true;
      const stored = await readStored(id);
      return typeof stored === "object" && stored.state === "ended";
    },
  };
}
