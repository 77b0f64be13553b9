/** Records of what members have granted: durable, each of one sandbox, and written only by its members. */
import type { JsonValue } from "../cache/store.ts";

/** A record; times are in ms since the epoch, and `createdAt` stays when it is written again. */
export interface StoredRecord {
  /** 128 bits in base64url, or the name that it is about; no secret. */
  readonly id: string;
  readonly sandboxId: string;
  /** Null where nobody says whose the sandbox is. */
  readonly organizationId: string | null;
  readonly createdAt: number;
  /** Null for never. */
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

/** One page of a list, newest first. */
export interface RecordPage {
  readonly items: readonly VersionedRecord[];
  /** Where the next one begins; undefined for the last one. */
  readonly next: string | undefined;
}
