import { Turns } from "../lib/turns.ts";
import type { Times } from "./entry.ts";
import {
  type Claim,
  type DurableStore,
  entryUntil,
  type JsonValue,
  type StoredEntry,
  type StoreKey,
} from "./store.ts";

/** Encodes values for the durable tier, and decodes what another version or program may have written there. */
export interface Codec<V> {
  /** The stored form of a value, which is kept until `staleUntil` (ms since the epoch) at the latest. */
  encode(value: V, staleUntil: number): JsonValue | Promise<JsonValue>;
  /** Undefined for an unreadable value: the entry then counts as missing. */
  decode(json: JsonValue): V | undefined | Promise<V | undefined>;
}

export interface TimedValue<V> extends Times {
  readonly value: V;
}

interface DurableTierOptions<V> {
  readonly store: DurableStore;
  readonly codec: Codec<V>;
  /** The cache's name, and the first part of its keys. */
  readonly kind: string;
  /** Called for every value that the codec refuses, and with the cause if it throws. */
  readonly onCodecFailure: (cause?: unknown) => void;
}

/** One cache's typed view of the durable store. Its methods never reject. */
export class DurableTier<V> {
  readonly #options: DurableTierOptions<V>;
  /** Writes to a key run one by one, and reads wait for them. */
  readonly #writes = new Turns();

  constructor(options: DurableTierOptions<V>) {
    this.#options = options;
  }

  /** See `StoreLookup`; a value that cannot be decoded is `unavailable`. */
  async read(key: string): Promise<TimedValue<V> | "absent" | "unavailable"> {
    const { store, codec, kind, onCodecFailure } = this.#options;
    await this.#writes.idle(key);
    const stored = await store.get([kind, key]);
    if (typeof stored === "string") return stored;
    let value: V | undefined;
    let cause: unknown;
    try {
      value = await codec.decode(stored.value);
    } catch (error) {
      cause = error;
    }
    if (value !== undefined) return { ...stored, value };
    onCodecFailure(cause);
    return "unavailable";
  }

  /** Writes a value; see `DurableStore` for `ifPresent`. */
  write(
    key: string,
    value: TimedValue<V>,
    options: { readonly ifPresent?: boolean } = {},
  ): Promise<void> {
    const { store } = this.#options;
    return this.#enqueue(key, async (storeKey) => {
      const entry = await this.#encode(value);
      if (entry) return await store.set(storeKey, entry, options);
      await store.delete(storeKey); // leave no older value behind
    });
  }

  /** Writes a value if there is none; see `DurableStore`. */
  claim(key: string, value: TimedValue<V>): Promise<void> {
    return this.#enqueue(key, async (storeKey) => {
      const entry = await this.#encode(value);
      if (entry) await this.#options.store.claim(storeKey, entry);
    });
  }

  /** Undefined if the codec fails. */
  async #encode(
    { value, refreshAt, expiresAt, staleUntil, unconfirmed }: TimedValue<V>,
  ): Promise<StoredEntry | undefined> {
    const { codec, onCodecFailure } = this.#options;
    try {
      return {
        value: await codec.encode(value, staleUntil),
        refreshAt,
        expiresAt,
        staleUntil,
        ...unconfirmed !== undefined && { unconfirmed },
      };
    } catch (cause) {
      onCodecFailure(cause);
      return undefined;
    }
  }

  async tellsChanges(key: string): Promise<boolean> {
    const { store, kind } = this.#options;
    return await store.tellsChanges?.([kind, key]) ?? false;
  }

  /** Claims until then, ms since the epoch, to be the one who replaces what the tier has of a key in that `version`. */
  async lease(key: string, version: string, until: number): Promise<Claim> {
    const { store, kind } = this.#options;
    const lease = entryUntil(until, true);
    return await store.claim([`${kind}-lease`, key, version], lease);
  }

  remove(key: string): Promise<void> {
    return this.#enqueue(key, (path) => this.#options.store.delete(path));
  }

  #enqueue(key: string, write: (key: StoreKey) => Promise<void>) {
    return this.#writes.take(key, () => write([this.#options.kind, key]));
  }
}
