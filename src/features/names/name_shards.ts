/** The values that names are stored in: so many, each of some hosts, as no write is of two keys, so that a cluster can keep them. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { GatewayError } from "../../errors.ts";
import { type Form, storedObject } from "../../records/form.ts";
import type { Change } from "../../records/record_values.ts";
import { type KeptName, keptName, type NameEntry } from "./kept_name.ts";
import { ownerKeyOf } from "./name_entries.ts";

/** How many there are. */
export const SHARDS = 256;

/** Longest value, bytes: Deno KV takes 64 KiB. */
const MAX_BYTES = 65_000;

/** Longest with names that are more than before: the rest is for changes, by which no name becomes longer by half. */
const MAX_BYTES_WITH_MORE = 0.7 * MAX_BYTES;

/** Most names of one owner in a shard, of about 120: else some chosen hosts would leave others no room to change theirs. */
const MAX_OF_OWNER = 80;

/** The entry of a host that nobody has. */
export const NOTHING: NameEntry = { claims: [] };

/** By host. */
type Entries = Readonly<Record<string, NameEntry>>;

/** What is stored. */
export interface NameShard {
  readonly entries: Entries;
}

export const SHARD: Form<NameShard> = {
  schema: storedObject({
    entries: z.record(
      z.string(),
      storedObject({
        holder: z.exactOptional(keptName),
        claims: z.array(keptName),
      }),
    ),
  }),
  none: { entries: {} },
};

/** Which shard a host is in, for good: the first byte of its SHA-256. */
export function shardOf(host: string): number {
  return createHash("sha256").update(host).digest()[0] ?? 0;
}

/** What a shard has of a host, without what is over. */
export function entryIn(
  { entries }: NameShard,
  host: string,
  now: number,
): NameEntry {
  const entry = Object.hasOwn(entries, host) ? entries[host] : undefined;
  return currentOf(entry ?? NOTHING, now);
}

/** An entry without what is over. */
export function currentOf(
  { holder, claims, ...added }: NameEntry,
  now: number,
): NameEntry {
  const lasts = ({ endsAt }: KeptName) => endsAt === null || endsAt > now;
  return {
    ...added,
    ...holder && lasts(holder) && { holder },
    claims: claims.filter(lasts),
  };
}

/** A shard with that entry, and without what is over; throws `records_full` if an owner has more there than before, and too many. */
export function withEntry(
  shard: NameShard,
  host: string,
  entry: NameEntry,
  now: number,
): Change<NameShard> {
  const before = entriesAt(shard.entries, now);
  const entries = entriesAt({ ...before, [host]: entry }, now);
  const maxBytes = roomFor(before, entries);
  const isEmpty = Object.keys(entries).length === 0;
  return { value: isEmpty ? undefined : { ...shard, entries }, maxBytes };
}

function entriesAt(entries: Entries, now: number): Entries {
  const current = Object.entries(entries)
    .map(([host, entry]) => [host, currentOf(entry, now)] as const)
    .filter(([, { holder, claims }]) => holder || claims.length > 0);
  return Object.fromEntries(current);
}

/** How long a shard may become, bytes. */
function roomFor(before: Entries, entries: Entries): number {
  const counts = countByOwner(before);
  let maxBytes = MAX_BYTES;
  for (const [owner, count] of countByOwner(entries)) {
    if (count <= (counts.get(owner) ?? 0)) continue;
    if (count > MAX_OF_OWNER) {
      throw new GatewayError("records_full", "An owner's share of a shard");
    }
    maxBytes = MAX_BYTES_WITH_MORE;
  }
  return maxBytes;
}

function countByOwner(entries: Entries): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { holder, claims } of Object.values(entries)) {
    for (const name of holder ? [holder, ...claims] : claims) {
      const owner = ownerKeyOf(name);
      counts.set(owner, (counts.get(owner) ?? 0) + 1);
    }
  }
  return counts;
}
