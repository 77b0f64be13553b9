/**
 * The state of every login session, by session id: in process, and behind that in the durable tier. Unlike an answer of
 * the API, a session's state has no source to be filled from again, so this is a store with a local copy, not a cache.
 */
import { LRUCache } from "lru-cache";
import { type Codec, DurableTier } from "../cache/durable_tier.ts";
import { timesOf } from "../cache/entry.ts";
import { type Checked, isTrusted, RECHECK_MS } from "../cache/recheck.ts";
import { SingleFlight } from "../cache/single_flight.ts";
import type { Watch } from "../cache/store.ts";
import type { Config } from "../config/config.ts";
import { GatewayError } from "../errors.ts";
import type { Sealer } from "../lib/seal.ts";
import type { CacheEvent, CacheKind } from "../observability/metrics/facts.ts";
import type { LookupCacheOptions } from "../resolver/lookup_cache.ts";
import type { Tokens } from "./oidc/provider.ts";
import type { LoginRef } from "./session.ts";

/** An open session: the tokens behind it. */
export type OpenState = Tokens & { readonly state: "open" };

/** The state of one login session. */
export type SessionState = OpenState | { readonly state: "ended" };

/** Dependencies of the store. */
export interface LoginSessionStoreOptions
  extends Pick<LookupCacheOptions, "store" | "now" | "onEvent"> {
  /** Its `maxEntries` limits the local copies; the least recently used is evicted first. */
  readonly cache: Pick<Config["cache"], "maxEntries">;
  /** Access tokens leave the process sealed only. */
  readonly sealer: Sealer;
}

/** First part of the keys in the durable tier, and a label of metrics. */
const KIND: CacheKind = "login-session";

/** Time that a state is kept after its session has expired, ms: machines' clocks differ, and seals expire on a second. */
const KEEP_AFTER_EXPIRY_MS = 60_000;

/** A state in the durable tier; `unreadable` if we do not have its key, or do not know its format. */
type StoredState = SessionState | "unreadable";

type Copy = Checked & { readonly state: SessionState };

/** Reads and writes the states of login sessions. */
export class LoginSessionStore {
  readonly #options: LoginSessionStoreOptions;
  /** Infinity if nobody else writes to the durable tier. */
  readonly #recheckMs: number;
  readonly #tier: DurableTier<StoredState> | undefined;
  readonly #copies: LRUCache<string, Copy>;
  readonly #reads = new SingleFlight<SessionState | undefined>();

  constructor(options: LoginSessionStoreOptions) {
    const { cache, store, sealer } = options;
    this.#options = options;
    this.#recheckMs = store?.shared ? RECHECK_MS : Infinity;
    this.#tier = store === null ? undefined : new DurableTier({
      store,
      codec: sealedStates(sealer),
      kind: KIND,
      onCodecFailure: (cause) => this.#report("codec_failed", cause),
    });
    this.#copies = new LRUCache({ max: cache.maxEntries });
    store?.onChange?.(KIND, (id) => {
      this.#reads.forget(id);
      if (this.peek(id)?.state !== "ended") this.#copies.delete(id);
    });
  }

  /**
   * The state of a session, undefined if no tier knows the session. What another gateway wrote to a shared durable tier
   * is seen within {@linkcode RECHECK_MS}, and at once if that tells of changes.
   * @throws {GatewayError} `session_unavailable` if there is no local copy and the durable tier cannot be read
   */
  async get(id: string): Promise<SessionState | undefined> {
    const copy = this.#copies.get(id);
    // An end is final: a logout that the durable tier lost holds here at least.
    const isCurrent = copy?.state.state === "ended" ||
      copy !== undefined && isTrusted(copy, this.#options.now());
    if (!isCurrent) return await this.#reread(id);
    this.#report("hit");
    return copy.state;
  }

  /** The local copy of a state, however old; undefined if there is none. */
  peek(id: string): SessionState | undefined {
    return this.#copies.peek(id)?.state;
  }

  /**
   * The state of a session as a shared durable tier has it now; an entry that cannot be decoded counts as unknown. If
   * the tier is not shared or cannot be reached, as {@linkcode LoginSessionStore.get}.
   */
  async getLatest(id: string): Promise<SessionState | undefined> {
    const copy = this.#copies.get(id);
    const hasEnded = copy?.state.state === "ended";
    if (hasEnded || !this.#options.store?.shared) return await this.get(id);
    const stored = await this.#readStored(id);
    if (stored === "unavailable") return await this.get(id);
    if (typeof stored === "string") return undefined;
    const current = this.#copies.get(id);
    if (current?.state.state === "ended") return current.state;
    if (current === copy) { // not replaced while we read
      this.#reads.forget(id);
      this.#keep(id, stored);
    }
    return stored;
  }

  /** Replaces the state of a session in both tiers. Resolves when the durable tier is done, which may lose the write. */
  async set({ id, expiresAt }: LoginRef, state: SessionState): Promise<void> {
    const now = this.#options.now();
    this.#reads.forget(id);
    this.#keep(id, state);
    const ttlMs = expiresAt + KEEP_AFTER_EXPIRY_MS - now;
    const times = timesOf({ now, ttlMs, staleIfErrorMs: 0 });
    await this.#tier?.write(id, { ...times, value: state });
  }

  /** True if the durable tier has the session as ended, or if there is no such tier. */
  async isEndStored(id: string): Promise<boolean> {
    if (this.#tier === undefined) return true;
    const stored = await this.#readStored(id);
    return typeof stored === "object" && stored.state === "ended";
  }

  /** Keeps a local copy; `watch` is what tells of changes since it was read. */
  #keep(id: string, state: SessionState, watch?: Watch | null): SessionState {
    this.#copies.set(id, { state, recheckAt: this.#recheckAt, watch });
    return state;
  }

  get #recheckAt(): number {
    return this.#options.now() + this.#recheckMs;
  }

  #report(event: CacheEvent, cause?: unknown): void {
    this.#options.onEvent(event, KIND, cause);
  }

  /** Brings the local copy in line with the durable tier. Callers that come meanwhile share one read. */
  #reread(id: string): Promise<SessionState | undefined> {
    return this.#reads.share(id, async (isCurrent) => {
      const watch = this.#options.store?.watch;
      const stored = await this.#readStored(id);
      if (!isCurrent()) return await this.get(id); // replaced while we read
      if (stored === "absent") {
        this.#report("miss");
        this.#copies.delete(id);
        return undefined;
      }
      if (stored === "unavailable" || stored === "unreadable") {
        const copy = this.#copies.get(id);
        if (copy === undefined) {
          this.#report("fill_failed");
          const reason = `The stored state is ${stored}`;
          throw new GatewayError("session_unavailable", reason);
        }
        this.#report("stale");
        copy.recheckAt = this.#recheckAt;
        return copy.state;
      }
      this.#report("durable_hit");
      return this.#keep(id, stored, watch);
    });
  }

  async #readStored(
    id: string,
  ): Promise<StoredState | "absent" | "unavailable"> {
    const found = await this.#tier?.read(id) ?? "absent";
    if (typeof found === "string") return found;
    if (found.value === "unreadable") this.#report("codec_failed");
    return found.value;
  }
}

function isSessionState(value: unknown): value is SessionState {
  const { state, accessToken } = Object(value);
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
