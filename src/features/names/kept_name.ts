/** What is kept of names: all of it is in the memory of every gateway, and each change is written to the store first. */
import { z } from "zod";
import { storedObject } from "../../records/form.ts";

const time = z.number().nullable();

/** A name, or the claim to one; times are in ms since the epoch. */
export const keptName = storedObject({
  /** In lower case, without a port. */
  host: z.string(),
  kind: z.enum(["alias", "domain"]),
  /** `released` if it was given up: nobody else may have it then for a time. */
  state: z.enum(["active", "pending", "suspended", "released"]),
  sandboxId: z.string(),
  port: z.number(),
  /** Null where nobody says whose the sandbox is. */
  organizationId: z.string().nullable(),
  createdAt: z.number(),
  /** What `LOG_SUBJECT` calls the member; null if that is nothing. */
  createdBy: z.string().nullable(),
  /** What the DNS of a domain must say: TXT with the nonce, and CNAME to the target; null for aliases. */
  proof: storedObject({ nonce: z.string(), target: z.string() }).nullable(),
  /** When its DNS was asked last; null before that, and for aliases. */
  checkedAt: time,
  /** Since when its DNS has not said so; null while it does. */
  failingSince: time,
  /** Why not, in one line. */
  lastError: z.string().nullable(),
  /** When it is forgotten: a claim after 7 days, what was released after 30; null for never. */
  endsAt: time,
});

export type KeptName = z.output<typeof keptName>;

/** What is known of a host: who holds it, and who else would have it. */
export interface NameEntry {
  /** Active, suspended or released; undefined if nobody holds it. */
  readonly holder?: KeptName;
  /** Pending ones, each of another organization. */
  readonly claims: readonly KeptName[];
}

/** All names. */
export interface NameBook {
  /** From memory: at most 5 s old. */
  entryOf(host: string): NameEntry;
  /** The names of a sandbox in force, suspended or pending, newest first; from memory. */
  ofSandbox(sandboxId: string): readonly KeptName[];
  /** All that are held or claimed; from memory. */
  all(): Iterable<KeptName>;
  /** The number that an owner, as `ownerKeyOf` tells it, holds, claims or has given up lately; from memory. */
  countOf(ownerKey: string): number;
  /**
   * Changes a host's entry as the store has it now, and as often as somebody else is faster; what `change` throws is
   * thrown, and nothing changed. Resolves, once that is durable, to what is kept.
   * @throws {GatewayError} `records_unavailable`; `records_full` if there is no room
   */
  change(
    host: string,
    change: (entry: NameEntry) => NameEntry,
  ): Promise<NameEntry>;
}

/** What a name is known by until it changes: opaque, without quotes. */
export type NameTag = string;
