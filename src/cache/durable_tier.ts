import { joinParts } from "../lib/digest.ts";
import type { Times } from "./entry.ts";
import type { DurableStore, JsonValue, StoreKey } from "./store.ts";

/** The parts that name one value within a cache; never a plaintext token (see `digestKey`). */
export type CacheKey = readonly string[];

/** How a value crosses the durable tier, where another version or program may have written it. */
export interface Codec<V> {
  /** What is kept of a value, at the longest until `staleUntil` (ms since the epoch). */
  encode(value: V, staleUntil: number): JsonValue | Promise<JsonValue>;
  /** Undefined for what cannot be read: the entry then counts as missing. */
  decode(json: JsonValue): V | undefined | Promise<V | undefined>;
}

/** A value as it came out of the durable tier. */
export interface Found<V> extends Times {
  readonly value: V;
}

/** One cache's typed view of the durable store. Nothing here rejects. */
export interface DurableTier<V> {
  /** See `StoreLookup`; what cannot be decoded is `unavailable`. */
  read(key: CacheKey): Promise<Found<V> | "absent" | "unavailable">;
  write(key: CacheKey, found: Found<V>): Promise<void>;
  remove(key: CacheKey): Promise<void>;
}

/** Parts of a durable tier. */
export interface DurableTierOptions<V> {
  readonly store: DurableStore;
  readonly codec: Codec<V>;
  /** First part of its keys. */
  readonly kind: string;
  /** Is told of every value that the codec refused (no cause), or threw at. */
  readonly onCodecFailure: (cause?: unknown) => void;
}

/** Creates a cache's view of the store. */
export function createDurableTier<V>(
  { store, codec, kind, onCodecFailure }: DurableTierOptions<V>,
): DurableTier<V> {
  /** The last write under way of each key: writes of a key run one by one, and reads come after them. */
  const writes = new Map<string, Promise<void>>();

  function inOrder(
    key: CacheKey,
    write: (key: StoreKey) => Promise<void>,
  ): Promise<void> {
    const id = joinParts(key);
    const before = writes.get(id) ?? Promise.resolve();
    const done = before.then(() => write([kind, ...key])).finally(() => {
      if (writes.get(id) === done) writes.delete(id);
    });
    writes.set(id, done);
    return done;
  }

  return {
    async read(key) {
      await writes.get(joinParts(key));
      const stored = await store.get([kind, ...key]);
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
    },

    write(key, found) {
      return inOrder(key, async (storeKey) => {
        try {
          const { refreshAt, expiresAt, staleUntil } = found;
          const value = await codec.encode(found.value, staleUntil);
          await store.set(storeKey, {
            value,
            refreshAt,
            expiresAt,
            staleUntil,
          });
        } catch (cause) {
          onCodecFailure(cause);
          await store.delete(storeKey); // no older value in its place
        }
      });
    },

    remove(key) {
      return inOrder(key, (storeKey) => store.delete(storeKey));
    },
  };
}
