/**
 * The state of every login session, by session id: in process, and behind that in the durable tier. Unlike an answer of
 * the API, a session's state has no source to be filled from again, so this is a store with a local copy, not a cache.
 *
 * The rule: an end is final, and whoever has a copy hears of it when it comes (`announce`), or reads it once the tier is
 * there again. So a copy that is open has not ended, and a shared tier that lacks it (empty, failed over, evicting) gets it
 * again. A session of which neither the tier nor this gateway knows opens nothing.
 */
import {
  type Codec,
  DurableTier,
  type TimedValue,
} from "../cache/durable_tier.ts";
import { askedAt, timesOf } from "../cache/entry.ts";
import { type Checked, isCheckedLately, RECHECK_MS } from "../cache/recheck.ts";
import { SingleFlight } from "../cache/single_flight.ts";
import type { Watch } from "../cache/store.ts";
import type { Config } from "../config/config.ts";
import { GatewayError } from "../errors.ts";
import type { Awaitable } from "../lib/awaitable.ts";
import type { Background } from "../lib/background.ts";
import { sleep } from "../lib/backoff.ts";
import { isPending } from "../lib/cooldown.ts";
import { Lru } from "../lib/lru.ts";
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
  /** Tracks what is written again. */
  readonly background: Pick<Background, "add">;
  /** Aborted when the gateway closes: nothing is written again any more. */
  readonly closing: AbortSignal;
}

/** First part of the keys in the durable tier, and a label of metrics. */
const KIND: CacheKind = "login-session";

/** What is announced of a session that has ended, before its id. */
const ENDED = "login ended: ";

/** Time that a state is kept after its session has expired, ms: machines' clocks differ, and seals expire on a second. */
const KEEP_AFTER_EXPIRY_MS = 60_000;

/** Time that gateways have to write again what a store may have lost, ms: until then, nobody knows what it lacks. */
const RESTORING_MS = 10_000;

/** Copies that are compared with the store at the same time, once it has returned. */
const BATCH = 50;

/** A state in the durable tier; `unreadable` if we do not have its key, or do not know its format. */
type StoredState = SessionState | "unreadable";

/** A state that can be read. */
type Timed = TimedValue<SessionState>;

type Copy = Checked & Timed;

/** Reads and writes the states of login sessions. */
export class LoginSessionStore {
  readonly #options: LoginSessionStoreOptions;
  /** Infinity if nobody else writes to the durable tier. */
  readonly #recheckMs: number;
  readonly #tier: DurableTier<StoredState> | undefined;
  readonly #copies: Lru<string, Copy>;
  readonly #reads = new SingleFlight<SessionState | undefined>();
  #returnedAt = -Infinity;

  constructor(options: LoginSessionStoreOptions) {
    const { cache, store, sealer, background } = options;
    this.#options = options;
    this.#recheckMs = store?.shared ? RECHECK_MS : Infinity;
    this.#tier = store === null ? undefined : new DurableTier({
      store,
      codec: sealedStates(sealer),
      kind: KIND,
      onCodecFailure: (cause) => this.#report("codec_failed", cause),
    });
    this.#copies = new Lru({ max: cache.maxEntries });
    store?.onChange?.(
      KIND,
      (id) => this.#change(id, { recheckAt: 0, watch: null }),
    );
    store?.listen((message) => {
      if (!message.startsWith(ENDED)) return;
      const value = { state: "ended" } as const;
      this.#change(message.slice(ENDED.length), { value });
    });
    store?.onReturn?.(() => background.add("restore logins", this.#restore()));
  }

  /** Changes a copy, if there is one, and lets no read that has begun replace it. */
  #change(id: string, change: Partial<Copy>): void {
    this.#reads.forget(id);
    const copy = this.#copies.peek(id);
    if (copy) Object.assign(copy, change);
  }

  /**
   * The state of a session, undefined if no tier knows the session. What another gateway wrote to a shared durable tier
   * is seen within {@linkcode RECHECK_MS}, and at once if that tells of changes.
   * @throws {GatewayError} `session_unavailable` if there is no local copy and the durable tier cannot be read, or may
   * have lost the session
   */
  get(id: string): Awaitable<SessionState | undefined> {
    return this.#known(id) ?? this.#reread(id);
  }

  /** The state in process if it need not be checked against the durable tier; undefined otherwise. */
  #known(id: string): SessionState | undefined {
    const copy = this.#copies.get(id);
    const isCurrent = copy?.value.state === "ended" ||
      copy !== undefined && isCheckedLately(copy, this.#options.now());
    if (!isCurrent) return undefined;
    this.#report("hit");
    return copy.value;
  }

  /** The local copy of a state, however old; undefined if there is none. */
  peek(id: string): SessionState | undefined {
    return this.#copies.peek(id)?.value;
  }

  /**
   * The state of a session as a shared durable tier has it now, or as it is here if the tier lacks it; an entry that
   * cannot be decoded counts as unknown. If the tier is not shared or cannot be reached, as
   * {@linkcode LoginSessionStore.get}.
   */
  async getLatest(id: string): Promise<SessionState | undefined> {
    const hasEnded = this.peek(id)?.state === "ended";
    if (hasEnded || !this.#options.store?.shared) return await this.get(id);
    const found = await this.#readStored(id);
    if (found === "unavailable") return await this.get(id);
    if (found === "unreadable") return undefined;
    this.#reads.forget(id);
    return await this.#settle(id, found);
  }

  /** Replaces the state of a session in both tiers. Resolves when the durable tier is done, which may lose the write. */
  async set({ id, expiresAt }: LoginRef, state: SessionState): Promise<void> {
    const now = this.#options.now();
    this.#reads.forget(id);
    const ttlMs = expiresAt + KEEP_AFTER_EXPIRY_MS - now;
    const times = timesOf({ now, ttlMs, staleIfErrorMs: 0 });
    const kept = { ...times, value: state };
    this.#keep(id, kept);
    await this.#write(id, kept);
  }

  /** Writes a state to the durable tier. An end is announced; one that is heard of meanwhile replaces the state. */
  async #write(id: string, timed: Timed): Promise<void> {
    const { state } = timed.value;
    await this.#tier?.write(id, timed);
    const copy = this.#copies.peek(id);
    if (state === "ended") await this.#options.store?.announce(ENDED + id);
    else if (copy?.value.state === "ended") await this.#write(id, copy);
  }

  /** True if the durable tier has the session as ended, or if there is no such tier. */
  async isEndStored(id: string): Promise<boolean> {
    if (this.#tier === undefined) return true;
    const found = await this.#readStored(id);
    return typeof found === "object" && found.value.state === "ended";
  }

  /** Keeps a local copy; `watch` is what tells of changes since it was read. */
  #keep(id: string, timed: Timed, watch?: Watch | null): SessionState {
    this.#copies.set(id, { ...timed, recheckAt: this.#recheckAt, watch });
    return timed.value;
  }

  get #recheckAt(): number {
    return this.#options.now() + this.#recheckMs;
  }

  #report(event: CacheEvent, cause?: unknown): void {
    this.#options.onEvent(event, KIND, cause);
  }

  /** Makes the local copy and the durable tier agree. Callers that come meanwhile share one read. */
  #reread(id: string): Promise<SessionState | undefined> {
    return this.#reads.share(id, async (isCurrent) => {
      const watch = this.#options.store?.watch;
      const found = await this.#readStored(id);
      if (!isCurrent()) return await this.get(id); // replaced while we read
      const copy = this.#copies.get(id);
      if (found === "unavailable" || found === "unreadable") {
        if (!copy) throw this.#unavailable(`The stored state is ${found}`);
        this.#report("stale");
        copy.recheckAt = this.#recheckAt;
        return copy.value;
      }
      const now = this.#options.now();
      const restoring = { now, withinMs: RESTORING_MS };
      const isMissing = found === "absent" && copy === undefined;
      if (isMissing && isPending(this.#returnedAt + RESTORING_MS, restoring)) {
        throw this.#unavailable("Another gateway may be about to write it");
      }
      this.#report(found === "absent" ? "miss" : "durable_hit");
      return await this.#settle(id, found, watch);
    });
  }

  #unavailable(reason: string): GatewayError {
    this.#report("fill_failed");
    return new GatewayError("session_unavailable", reason);
  }

  /** The state of a session of which the durable tier has what was `found`: the tier may be behind the local copy. */
  async #settle(
    id: string,
    found: Timed | "absent",
    watch?: Watch | null,
  ): Promise<SessionState | undefined> {
    const copy = this.#copies.get(id);
    if (copy === undefined || !this.#isBehind(found, copy)) {
      if (found !== "absent") return this.#keep(id, found, watch);
      this.#copies.delete(id);
      return undefined;
    }
    Object.assign(copy, { recheckAt: this.#recheckAt, watch: null });
    if (found === "absent" && copy.value.state === "open") {
      await this.#tier?.claim(id, copy); // somebody may end it at the same time
    } else {
      await this.#write(id, copy);
    }
    return this.peek(id) ?? copy.value;
  }

  /** True if the durable tier has lost a copy, or missed what came after what it has. */
  #isBehind(found: Timed | "absent", copy: Copy): boolean {
    if (this.#options.now() >= copy.expiresAt) return false;
    if (found === "absent") return true;
    if (found.value.state === "ended") return false;
    return copy.value.state === "ended" || askedAt(copy) > askedAt(found);
  }

  /** Has the durable tier, which is there again, know what is known here; what it cannot tell is asked for again. */
  async #restore(): Promise<void> {
    const { now, closing } = this.#options;
    const returnedAt = this.#returnedAt = now();
    const ids = [...this.#copies.keys()]; // each becomes the one that was used last
    while (ids.length > 0 && this.#returnedAt === returnedAt) {
      const { length } = ids;
      await Promise.all(
        ids.splice(0, BATCH).map(async (id) => {
          const found = await this.#readStored(id);
          if (found === "unavailable") ids.push(id);
          const isKnown = found === "absent" || typeof found === "object";
          if (isKnown && this.#copies.has(id)) await this.#settle(id, found);
        }),
      );
      if (ids.length === length) await sleep(RECHECK_MS, closing);
    }
  }

  async #readStored(
    id: string,
  ): Promise<Timed | "unreadable" | "absent" | "unavailable"> {
    const found = await this.#tier?.read(id) ?? "absent";
    if (typeof found === "string") return found;
    const { value, ...times } = found;
    if (value !== "unreadable") return { ...times, value };
    this.#report("codec_failed");
    return value;
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
