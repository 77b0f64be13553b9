import type {
  StoreOperation,
  StoreOutcome,
} from "../observability/metrics/facts.ts";

/** A JSON value, which is what the durable tier can hold. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [member: string]: JsonValue };

/** The key of an entry: the cache's kind, then the key's parts, not joined, so that each store can format its own. */
export type StoreKey = readonly [kind: string, ...parts: string[]];

/** A value with its own times, in ms since the epoch: a store's expiry only collects garbage. */
export interface StoredEntry {
  readonly value: JsonValue;
  /** When a reader starts to renew the value in the background. */
  readonly refreshAt: number;
  /** When the value is no longer valid. */
  readonly expiresAt: number;
  /** Until when it may be served if the source fails; never before `expiresAt`. */
  readonly staleUntil: number;
  /** Only if the value is still to be confirmed by its source, and therefore expires early. */
  readonly unconfirmed?: Unconfirmed;
}

/** What is needed to confirm a value, in ms since the epoch. */
interface Unconfirmed {
  /** Since when the store has held the value, whoever wrote it. */
  readonly since: number;
  /** When the value would have expired if it had been confirmed: the store must keep it until then. */
  readonly keptUntil: number;
}

/** An entry that is good until then, ms since the epoch, and neither renewed nor served stale. */
export function entryUntil(until: number, value: JsonValue): StoredEntry {
  return { value, refreshAt: until, expiresAt: until, staleUntil: until };
}

/** Reads an entry from its JSON; undefined if it is not one, or its times are not in order. */
export function parseStoredEntry(json: unknown): StoredEntry | undefined {
  const { value, refreshAt, expiresAt, staleUntil, unconfirmed } = Object(json);
  const isEntry = value !== undefined &&
    [refreshAt, expiresAt, staleUntil].every(Number.isFinite) &&
    0 <= refreshAt && refreshAt <= expiresAt && expiresAt <= staleUntil;
  if (!isEntry) return undefined;
  const read = { value, refreshAt, expiresAt, staleUntil };
  if (unconfirmed === undefined) return read;
  const { since, keptUntil } = Object(unconfirmed);
  return Number.isFinite(since) && Number.isFinite(keptUntil)
    ? { ...read, unconfirmed: { since, keptUntil } }
    : undefined;
}

/**
 * The result of a read. `absent` is definite: in a shared store, it means that another process deleted the entry.
 * `unavailable` says nothing about the entry (a failure, a deadline, or an unreadable value).
 */
export type StoreLookup = StoredEntry | "absent" | "unavailable";

/** The result of a claim; `unavailable` says nothing about the entry. */
export type Claim = "claimed" | "taken" | "unavailable";

/** The failure of a store; the cache continues without it. */
export interface StoreFailure {
  readonly store: string;
  readonly reason: "locked" | "timeout" | "error";
  /** For the operator: what it means and what to do. */
  readonly message: string;
  readonly cause: unknown;
}

export interface StoreOptions {
  readonly now: () => number;
  /** Called for failures, which never fail a request, at most once a minute for each reason. */
  readonly onFailure: (failure: StoreFailure) => void;
  /** Called for each operation. */
  readonly onOperation?: (
    operation: StoreOperation,
    outcome: StoreOutcome,
  ) => void;
  /** Deadline of one operation, ms. @default {250} */
  readonly deadlineMs?: number;
}

/** A store's promise to tell of changes to what is read. */
export interface Watch {
  /** True if all changes have been told that were made until `ms` ms ago. */
  heardWithin(ms: number): boolean;
}

/**
 * The tier behind the in-process one. Its methods never throw or reject: a failed read is `unavailable`, a failed write
 * is lost, and both are reported through the `onFailure` that the store was opened with.
 */
export interface DurableStore {
  /** True if other processes write to it: in-process copies must then be rechecked within seconds, unless watched. */
  readonly shared: boolean;
  /** Kinds that Daytona's own programs read and write here as well: in plaintext, and only until `expiresAt`. */
  readonly daytonaKinds?: ReadonlySet<string>;
  /** Tells of changes by other programs to what is read from now on; null while nothing does, undefined if nothing can. */
  readonly watch?: Watch | null;
  /** Calls back for each entry of a kind that was read and may have changed since; to be called once for each kind. */
  onChange?(kind: string, onChange: (key: string) => void): void;
  /** Calls back when the store may have lost entries, or writes to it: it is there again. To be called once. */
  onReturn?(onReturn: () => void): void;
  get(key: StoreKey): Promise<StoreLookup>;
  /** True if the source of an entry, asked just now, deletes it here when it changes; absent if no source knows it. */
  tellsChanges?(key: StoreKey): Promise<boolean>;
  /** Writes an entry; with `ifPresent` only if the key exists, in a store with `daytonaKinds`: others delete there. */
  set(
    key: StoreKey,
    entry: StoredEntry,
    options?: { readonly ifPresent?: boolean },
  ): Promise<void>;
  delete(key: StoreKey): Promise<void>;
  /** Writes an entry if there is none. Of all claims to a key, by whichever process, one succeeds as long as it exists. */
  claim(key: StoreKey, entry: StoredEntry): Promise<Claim>;
  /** Deletes an entry if it is that one, as whoever claimed it wrote it. */
  release(key: StoreKey, entry: StoredEntry): Promise<void>;
  /**
   * Adds to counters that all processes share, each of which lasts for `ttlMs` from then on, and resolves to what they
   * have come to; undefined if that is not known. Absent in a store that cannot add without reading first.
   */
  addUp?(
    counts: readonly { readonly key: StoreKey; readonly count: number }[],
    ttlMs: number,
  ): Promise<readonly number[] | undefined>;
  /**
   * Tells every process that shares the store, this one included, something short; a hint, which may be lost. Resolves to
   * how many were told at least, if the store knows.
   */
  announce(message: string): Promise<number | void>;
  /** Calls back with whatever is announced from now on, until the store is closed. */
  listen(onMessage: (message: string) => void): void;
  close(): void;
}
