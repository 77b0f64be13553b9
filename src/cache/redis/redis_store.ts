import { ErrorReply } from "@redis/client";
import { isPending } from "../../lib/cooldown.ts";
import { CircuitBreaker } from "../circuit_breaker.ts";
import type {
  Claim,
  DurableStore,
  StoredEntry,
  StoreKey,
  StoreLookup,
  StoreOptions,
  Watch,
} from "../store.ts";
import { hasErrorCode, type RedisErrorCode } from "./error_reply.ts";
import {
  apiKey,
  DAYTONA_KINDS,
  expiryOf,
  formatEnvelope,
  parseEnvelope,
  parseRedisKey,
  redisKey,
  timedEntry,
} from "./format.ts";
import type { RedisCommands } from "./redis_client.ts";
import {
  type ActiveClient,
  Heard,
  type RedisConnection,
} from "./redis_connection.ts";

/** The time for which the API counts as a user of the server once a key of its own was seen there, ms. */
const API_SEEN_MS = 600_000;

const CHANNEL = "porthole:announcements";

/** What a user of the server may lack the rights to do. */
const CANNOT_ANNOUNCE =
  "the user may not announce changes to other gateways (+publish +subscribe &porthole:*): they see them by time";
const CANNOT_COUNT =
  "the user may not count refusals for all gateways (+incrby +pexpire): each counts for itself";
const CANNOT_RELEASE =
  "the user may not give back what only one gateway may have (+eval): it is kept until its time is over";
const UNTOLD =
  "the server does not tell what has changed (CLIENT TRACKING, +client|tracking): entries are read again every 5 s";

/** Deletes a key if its value is that one. */
const RELEASE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`;

/** The reply of `PTTL` if there is no such key. */
const NO_KEY = -2;

/**
 * Opens a durable store on Redis, which Daytona's API and Go proxy may share. It waits for the first connection as long
 * as for any reply, so that a problem is reported at startup, and works without a connection (`unavailable`).
 */
export async function openRedisStore(
  connection: RedisConnection,
  options: StoreOptions,
): Promise<DurableStore> {
  const store = new RedisStore(connection, options);
  await store.start();
  return store;
}

class RedisStore implements DurableStore {
  readonly shared = true;
  readonly daytonaKinds = DAYTONA_KINDS;
  watch: Watch | null = null;
  readonly #connection: RedisConnection;
  readonly #breaker: CircuitBreaker;
  readonly #options: StoreOptions;
  /** What is called for changed entries, by kind. */
  readonly #readers = new Map<string, (key: string) => void>();
  /** The limitations that were reported. */
  readonly #told = new Set<string>();
  #apiSeenAt = -Infinity;
  #onReturn = () => {};

  constructor(connection: RedisConnection, options: StoreOptions) {
    this.#connection = connection;
    this.#breaker = new CircuitBreaker("redis", options);
    this.#options = options;
    connection.onEachConnection((client) => {
      this.#breaker.reset();
      this.#onReturn();
      this.#track(client);
    });
  }

  onReturn(onReturn: () => void): void {
    this.#onReturn = onReturn;
  }

  onChange(kind: string, onChange: (key: string) => void): void {
    this.#readers.set(kind, onChange);
  }

  async start(): Promise<void> {
    await this.#breaker.run(() => this.#connection.connected(), undefined);
  }

  get(key: StoreKey): Promise<StoreLookup> {
    return this.#breaker.run(() => this.#find(key), "unavailable", "read");
  }

  /** The API deletes entries from its own Redis only, and that is where it has just kept its answer. */
  async tellsChanges(key: StoreKey): Promise<boolean> {
    const name = apiKey(key);
    if (name === undefined) return false;
    const seen = { now: this.#options.now(), withinMs: API_SEEN_MS };
    if (isPending(this.#apiSeenAt + API_SEEN_MS, seen)) return true;
    const text = await this.#breaker.run(
      () => this.#read(name, "WRONGTYPE", "NOPERM"),
      undefined,
      "read",
    );
    if (typeof text !== "string") return false;
    this.#apiSeenAt = this.#options.now();
    return true;
  }

  async set(key: StoreKey, entry: StoredEntry, { ifPresent = false } = {}) {
    const ttlMs = this.#ttlMs(key, entry);
    // An entry that cannot be stored must not leave an older value behind.
    if (ttlMs <= 0) return await this.delete(key);
    await this.#run((redis) =>
      redis.set(redisKey(key), formatEnvelope(entry), {
        expiration: { type: "PX", value: ttlMs },
        ...ifPresent && { condition: "XX" },
      })
    );
  }

  async delete(key: StoreKey): Promise<void> {
    await this.#run((redis) => redis.del(redisKey(key)));
  }

  async claim(key: StoreKey, entry: StoredEntry): Promise<Claim> {
    const reply = await this.#run((redis) =>
      redis.set(redisKey(key), formatEnvelope(entry), {
        expiration: { type: "PX", value: Math.max(1, this.#ttlMs(key, entry)) },
        condition: "NX",
      })
    );
    if (reply === undefined) return "unavailable";
    return reply === null ? "taken" : "claimed";
  }

  async release(key: StoreKey, entry: StoredEntry): Promise<void> {
    const inputs = {
      keys: [redisKey(key)],
      arguments: [formatEnvelope(entry)],
    };
    await this.#run((redis) =>
      redis.eval(RELEASE, inputs)
        .catch((error) => this.#onForbidden(error, CANNOT_RELEASE))
    );
  }

  async addUp(
    counts: readonly { readonly key: StoreKey; readonly count: number }[],
    ttlMs: number,
  ): Promise<readonly number[] | undefined> {
    const totals = await this.#run((redis) =>
      Promise.all(counts.map(async ({ key, count }) => {
        const name = redisKey(key);
        const added = redis.incrBy(name, count); // on the same connection, so it comes first
        const [total] = await Promise.all([added, redis.pExpire(name, ttlMs)]);
        return total;
      })).catch((error) => this.#onForbidden(error, CANNOT_COUNT))
    );
    return totals ?? undefined;
  }

  announce(message: string): Promise<number | void> {
    return this.#run((redis) =>
      redis.publish(CHANNEL, message)
        .catch((error) => this.#onForbidden(error, CANNOT_ANNOUNCE))
    );
  }

  listen(onMessage: (message: string) => void): void {
    this.#connection.onEachConnection(({ commands }) => {
      commands.subscribe(CHANNEL, onMessage)
        .catch((error) => this.#onForbidden(error, CANNOT_ANNOUNCE))
        .catch(() => {}); // the connection has ended
    });
  }

  /**
   * Has the server push the names of keys that were read on a connection and have changed, expired or been evicted
   * (client-side caching, Redis 6), until the connection ends; never rejects.
   */
  async #track(client: ActiveClient): Promise<void> {
    if (client.primaries !== undefined) return; // each node would have to tell, on a connection of its own
    client.commands.on("invalidate", (name) => {
      if (name === null) {
        // All are gone, and tracked no longer: what was read so far is re-read by time.
        this.watch = client.heard = new Heard(client.heard.now);
        this.#onReturn();
        return;
      }
      const [kind, key] = parseRedisKey(String(name));
      this.#readers.get(kind)?.(key);
    });
    try {
      // Our own writes are not pushed to us; they end the tracking of their key.
      await client.commands.clientTracking(true, { NOLOOP: true });
    } catch (failure) {
      if (failure instanceof ErrorReply) this.#tellOnce(UNTOLD, failure);
      return;
    }
    this.watch = client.heard;
    await client.ended;
    this.watch = null;
  }

  /** Tells, once, that the user may not do that: the rest works without it. */
  #onForbidden(cause: unknown, message: string): void {
    if (!hasErrorCode(cause, "NOPERM")) throw cause;
    this.#tellOnce(message, cause);
  }

  /** Tells, once, what the server does not do for us: the rest works without it. */
  #tellOnce(message: string, cause: unknown): void {
    if (this.#told.has(message)) return;
    this.#told.add(message);
    const { onFailure } = this.#options;
    onFailure({ store: "redis", reason: "error", message, cause });
  }

  close(): void {
    this.#breaker.close();
    this.#connection.close();
  }

  #ttlMs(key: StoreKey, entry: StoredEntry): number {
    return Math.floor(expiryOf(key, entry) - this.#options.now());
  }

  /** The reply to a command that writes; undefined if there is none. */
  #run<T>(command: (redis: RedisCommands) => Promise<T>) {
    const reply = () => this.#connection.send(command);
    return this.#breaker.run(reply, undefined, "write");
  }

  async #find(key: StoreKey): Promise<StoreLookup> {
    const name = redisKey(key);
    // Only another program can have written another type of value.
    const text = await this.#read(name, "WRONGTYPE");
    if (text === null) return "absent";
    const envelope = text && parseEnvelope(text);
    if (!envelope) return "unavailable";
    if (envelope.expiresAt !== undefined) {
      return this.#options.now() < envelope.staleUntil ? envelope : "absent";
    }
    if (!DAYTONA_KINDS.has(key[0])) return "unavailable";
    const ttlMs = await this.#connection.send((redis) => redis.pTTL(name));
    if (ttlMs === NO_KEY) return "absent";
    return timedEntry(envelope, { ttlMs, now: this.#options.now() });
  }

  /** Null if there is no such key, undefined if the server replies with one of those codes. */
  async #read(name: string, ...refusals: RedisErrorCode[]) {
    try {
      return await this.#connection.send((redis) => redis.get(name));
    } catch (error) {
      if (hasErrorCode(error, ...refusals)) return undefined;
      throw error;
    }
  }
}
