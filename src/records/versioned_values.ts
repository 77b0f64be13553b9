import type { StoreKey } from "../cache/store.ts";

/** A value, and what it is known by until it is written again. */
export interface VersionedValue {
  readonly text: string;
  readonly version: string;
}

/** A write that is done only if the value is in that version; undefined if there must be none. */
export interface VersionedWrite {
  readonly key: StoreKey;
  readonly version: string | undefined;
  /** Undefined deletes it. */
  readonly text: string | undefined;
  /** After so many ms it may be forgotten; Infinity for never. */
  readonly ttlMs: number;
}

/** What a database must do to keep records: each operation is about one key, is atomic, and rejects if it fails. */
export interface VersionedValues {
  read(key: StoreKey): Promise<VersionedValue | undefined>;
  /** The new version; undefined if the value is in another one. */
  write(write: VersionedWrite): Promise<string | undefined>;
  /** True if what was just read there, or is missing there, says nothing of what there was: the store is not the same. */
  isLost?(found: VersionedValue | undefined): Promise<boolean>;
  /** Why values may be lost there, in words for operators. */
  doubts?(): Promise<readonly string[]>;
  close(): void;
}
