/**
 * The names and the format of entries in Redis. Daytona's API and Go proxy may use the same server: the kinds that they
 * keep as well have Daytona's names and format, so that each program reads, writes and deletes the others' entries.
 */
import { parseJson } from "../../lib/parse_json.ts";
import { keptUntil } from "../entry.ts";
import {
  entryUntil,
  type JsonValue,
  parseStoredEntry,
  type StoredEntry,
  type StoreKey,
} from "../store.ts";

export const DAYTONA_KINDS: ReadonlySet<string> = new Set([
  "sandbox-public",
  "sandbox-runner-info",
]);

/** Longest time that an entry without times is trusted, ms: Daytona's TTL for a runner's record. */
const MAX_UNTIMED_MS = 120_000;

/** The reply of `PTTL` for a key without expiry. */
const NO_EXPIRY = -1;

/** A value from a writer that relies on the expiry of Redis alone. */
interface UntimedEntry {
  readonly value: JsonValue;
  readonly expiresAt?: undefined;
}

/**
 * The name of a key: Daytona's `proxy:{kind}:{id}` for Daytona's kinds, `porthole:{kind}:…` for others. The characters
 * of ids and digests stay as they are; any other is encoded, so that it is not taken for a separator.
 */
export function redisKey([kind, ...parts]: StoreKey): string {
  const owner = DAYTONA_KINDS.has(kind) ? "proxy" : "porthole";
  const encoded = parts.map((part) => encodeURIComponent(part.toWellFormed()));
  return [owner, kind, ...encoded].join(":");
}

/** The kind and key of which {@linkcode redisKey} has made a name. */
export function parseRedisKey(name: string): [kind: string, key: string] {
  const [_owner, kind = "", key = ""] = name.split(":");
  return [kind, decodeURIComponent(key)];
}

/** Where the API keeps, for 3 s and in its own Redis, its answer about an entry; undefined if it does not keep that kind. */
export function apiKey([kind, id = ""]: StoreKey): string | undefined {
  return kind === "sandbox-public" ? `preview:public:${id}` : undefined;
}

/** Writes an entry as Daytona's `{"value":…}`, with our times beside the value. */
export function formatEnvelope(entry: StoredEntry): string {
  const { value, refreshAt, expiresAt, staleUntil, unconfirmed } = entry;
  const times = { refreshAt, expiresAt, staleUntil, unconfirmed };
  return JSON.stringify({ value, ...times });
}

/** Reads an envelope of any writer; undefined if the text is not one. */
export function parseEnvelope(
  text: string,
): StoredEntry | UntimedEntry | undefined {
  const json = parseJson(text);
  const { value, refreshAt, expiresAt, staleUntil } = Object(json);
  const isUntimed = value !== undefined &&
    [refreshAt, expiresAt, staleUntil].every((time) => time === undefined);
  return isUntimed ? { value } : parseStoredEntry(json);
}

/**
 * Adds times to another program's value, which Redis keeps for `ttlMs` more milliseconds (the reply of `PTTL`): it is
 * served, but renewed from its source at once, because its age is unknown.
 */
export function timedEntry(
  { value }: UntimedEntry,
  { ttlMs, now }: { ttlMs: number; now: number },
): StoredEntry {
  const remainingMs = ttlMs === NO_EXPIRY ? MAX_UNTIMED_MS : ttlMs;
  const expiresAt = now + Math.min(remainingMs, MAX_UNTIMED_MS);
  const unconfirmed = { since: now, keptUntil: expiresAt };
  return { ...entryUntil(expiresAt, value), refreshAt: now, unconfirmed };
}

/** When Redis expires an entry, ms since the epoch: Daytona's programs go by that alone, and do not understand null. */
export function expiryOf([kind]: StoreKey, entry: StoredEntry): number {
  if (!DAYTONA_KINDS.has(kind)) return entry.staleUntil;
  return entry.value === null ? 0 : keptUntil(entry);
}
