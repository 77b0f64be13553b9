/** The format of an entry in Redis: Daytona's `{"value":…}`, with our times beside the value. */
import {
  type JsonValue,
  parseStoredEntry,
  type StoredEntry,
} from "../store.ts";

/** Longest time that an entry without times is trusted, ms: Daytona's TTL for a runner's record. */
const MAX_UNTIMED_MS = 120_000;

/** The reply of `PTTL` for a key without expiry. */
const NO_EXPIRY = -1;

/** A value from a writer that relies on the expiry of Redis alone. */
export interface UntimedEntry {
  readonly value: JsonValue;
  readonly expiresAt?: undefined;
}

/** Writes an entry such that Daytona's programs can read its value. */
export function formatEnvelope(
  { value, refreshAt, expiresAt, staleUntil }: StoredEntry,
): string {
  return JSON.stringify({ value, refreshAt, expiresAt, staleUntil });
}

/** Reads an envelope, whoever wrote it; undefined if the text is not one. */
export function parseEnvelope(
  text: string,
): StoredEntry | UntimedEntry | undefined {
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
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
  return { value, refreshAt: now, expiresAt, staleUntil: expiresAt };
}
