/** Records of what members have granted: durable, each of one sandbox, and written only by its members. */
import { z } from "zod";
import { type Form, storedObject } from "./form.ts";

/** A kind of records, by its name in the store, and how each is stored. */
export interface RecordForm<D> extends Form<StoredRecord<D> | undefined> {
  readonly name: string;
}

/** A record; times are in ms since the epoch, and `createdAt` stays when it is written again. */
export interface StoredRecord<D = unknown> {
  /** 128 bits in base64url, or the name that it is about; no secret. */
  readonly id: string;
  readonly sandboxId: string;
  /** Null where nobody says whose the sandbox is. */
  readonly organizationId: string | null;
  readonly createdAt: number;
  /** Null for never. */
  readonly expiresAt: number | null;
  /** What its kind is about. */
  readonly data: D;
}

/** A record, and what it is known by until it is written again. */
export interface VersionedRecord<D = unknown> {
  readonly record: StoredRecord<D>;
  /** Opaque; without quotes. */
  readonly etag: string;
}

/** What must be so for a record to be written: there is none yet, or it is still the one that was read. */
export type Precondition = "absent" | { readonly etag: string };

/** One page of a list, newest first. */
export interface RecordPage<D = unknown> {
  readonly items: readonly VersionedRecord<D>[];
  /** Where the next one begins; undefined for the last one. */
  readonly next: string | undefined;
}

const listed = {
  id: z.string(),
  createdAt: z.number(),
  expiresAt: z.number().nullable(),
};

/** What lists know of a record. */
export const listedRecord = storedObject(listed);

/** The kind of that name, of whose records such data is kept, in JSON. */
export function recordForm<D>(
  name: string,
  data: z.ZodType<D>,
): RecordForm<D> {
  const sandboxId = z.string();
  const organizationId = z.string().nullable();
  const schema = storedObject({ ...listed, sandboxId, organizationId, data });
  return { name, schema, none: undefined };
}
