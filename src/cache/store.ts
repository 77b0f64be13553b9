/** A value that survives JSON: what the durable tier can hold. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [member: string]: JsonValue };

/** Where an entry lives: the cache's kind, then the parts of its key. Parts stay apart, so every store can write its own key form. */
export type StoreKey = readonly [kind: string, ...parts: string[]];

/** A value with its own clock: a store's expiry only collects garbage. All times are ms since the epoch. */
export interface StoredEntry {
  readonly value: JsonValue;
  /** From here on a reader renews the value in the background. */
  readonly refreshAt: number;
  /** From here on the value no longer answers. */
  readonly expiresAt: number;
  /** Until here it may still stand in for an answer that cannot be had; never before `expiresAt`. */
  readonly staleUntil: number;
}

/**
 * What a read found. `absent` is definite: where others write too, it means that one of them removed the entry;
 * `unavailable` says nothing (failure, deadline).
 */
export type StoreLookup = StoredEntry | "absent" | "unavailable";

/** Why a store could not do its work; the cache carries on without it. */
export interface StoreFailure {
  readonly store: string;
  readonly reason: "locked" | "timeout" | "error";
  /** For an operator: what it means and what to do. */
  readonly message: string;
  readonly cause: unknown;
}

/**
 * The tier behind the in-process one. It never throws or rejects: a failed read is `unavailable`, a failed write is
 * lost, and both are reported through the `onFailure` that the store was opened with.
 */
export interface DurableStore {
  /** Its name in logs and metrics. */
  readonly kind: string;
  /** Others write too: in-process copies of its entries must be looked up again within seconds. */
  readonly shared: boolean;
  /** Kinds whose entries Daytona's own programs read and write here too: in the clear, and kept until `expiresAt` only. */
  readonly daytonaKinds?: ReadonlySet<string>;
  get(key: StoreKey): Promise<StoreLookup>;
  set(key: StoreKey, entry: StoredEntry): Promise<void>;
  delete(key: StoreKey): Promise<void>;
  close(): void;
}
