/** What is used of Deno KV. */

/** Deno KV reads at most 10 keys at once; as many of the longest keys and values fit a transaction's 800 KiB. */
export const BATCH = 10;

/** The part of a database that the store uses; the runtime's `Deno.Kv` and the `Kv` of `@deno/kv` both implement it. */
export interface KvDatabase {
  get(key: readonly string[]): Promise<KvValue>;
  /** Reads at most `BATCH` keys. */
  getMany(keys: readonly (readonly string[])[]): Promise<readonly KvValue[]>;
  atomic(): KvTransaction;
  /** The values of keys, now and whenever they change; values in between may be left out. */
  watch(keys: readonly (readonly string[])[]): ReadableStream<KvValue[]>;
  close(): void;
}

/** A value and its version; both are null if there is no such key. */
export interface KvValue {
  readonly value: unknown;
  readonly versionstamp: string | null;
}

/** A transaction (`Deno.AtomicOperation`), which is committed only if its checks hold. */
export interface KvTransaction {
  check(
    expected: Pick<KvValue, "versionstamp"> & { key: readonly string[] },
  ): KvTransaction;
  set(
    key: readonly string[],
    value: Uint8Array,
    options?: { expireIn: number },
  ): KvTransaction;
  delete(key: readonly string[]): KvTransaction;
  commit(): Promise<{ readonly ok: boolean; readonly versionstamp?: string }>;
}
