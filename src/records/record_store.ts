/** Records of what members have granted: durable, each of one sandbox, and written only by its members. */
import type { JsonValue } from "../cache/store.ts";

/** A record; times are in ms since the epoch. */
export interface StoredRecord {
  /** 128 bits in base64url, which are no secret. */
  readonly id: string;
  readonly sandboxId: string;
  /** Null where nobody says whose the sandbox is. */
  readonly organizationId: string | null;
  readonly createdAt: number;
  /** Infinity is null. */
  readonly expiresAt: number | null;
  /** What its kind is about. */
  readonly data: JsonValue;
}

/** A record, and what it is known by until it is written again. */
export interface VersionedRecord {
  readonly record: StoredRecord;
  /** Opaque; without quotes. */
  readonly etag: string;
}

/** What must be so for a record to be written: there is none yet, or it is still the one that was read. */
export type Precondition = "absent" | { readonly etag: string };

/** Most records of one kind. */
export interface RecordCaps {
  readonly ofSandbox: number;
  readonly ofOrganization: number;
}

/** One page of a list, newest first. */
export interface RecordPage {
  readonly items: readonly VersionedRecord[];
  /** Where the next one begins; undefined for the last one. */
  readonly next?: string | undefined;
}

/**
 * Keeps records. A write is durable before it resolves; what is over is gone.
 * @throws {RecordsUnavailable} if the store does not answer in time; every method
 */
export interface RecordStore {
  get(kind: string, id: string): Promise<VersionedRecord | undefined>;
  /** Writes a record, and returns its new etag; `conflict` if the precondition does not hold, `full` if a cap is reached. */
  put(
    kind: string,
    record: StoredRecord,
    options: { readonly when: Precondition; readonly caps: RecordCaps },
  ): Promise<{ readonly etag: string } | "conflict" | "full">;
  /** False if there was none, or if it is not the one with that etag any more. */
  delete(
    kind: string,
    id: string,
    when?: { readonly etag: string },
  ): Promise<boolean>;
  /** Those of a sandbox from `cursor` on, 50 at most. */
  list(
    kind: string,
    sandboxId: string,
    cursor?: string,
  ): Promise<RecordPage>;
  close(): void;
}

/** The store of records does not answer. */
export class RecordsUnavailable extends Error {
  override readonly name = "RecordsUnavailable";
}
