/** How an entry is written in Redis: `{"value":…}` as Daytona has it, with our times beside the value. */
import { z } from "zod";
import type { JsonValue, StoredEntry } from "./store.ts";

/** How long an entry is relied on at most where its writer left no times, ms: what Daytona gives a runner's record. */
const MAX_UNTIMED_MS = 120_000;

/** What `PTTL` says of a key that nothing will expire. */
const NO_EXPIRY = -1;

/** A value whose writer knows no times but those of Redis. */
export interface UntimedEntry {
  readonly value: JsonValue;
  readonly expiresAt?: undefined;
}

// What JSON.parse gave is JSON, and undefined only where the member is missing.
const value = z.custom<JsonValue>((value) => value !== undefined);
const time = z.number().nonnegative();
const absent = z.undefined().optional();

const envelope: z.ZodType<StoredEntry | UntimedEntry> = z.union([
  z.object({ value, refreshAt: time, expiresAt: time, staleUntil: time })
    .refine(({ refreshAt, expiresAt, staleUntil }) =>
      refreshAt <= expiresAt && expiresAt <= staleUntil
    ),
  z.object({ value, refreshAt: absent, expiresAt: absent, staleUntil: absent })
    .transform(({ value }) => ({ value })),
]);

/** Writes an entry so that Daytona's programs find its value. */
export function formatEnvelope(
  { value, refreshAt, expiresAt, staleUntil }: StoredEntry,
): string {
  return JSON.stringify({ value, refreshAt, expiresAt, staleUntil });
}

/** Reads what we or others wrote; undefined for what is no envelope. */
export function parseEnvelope(
  text: string,
): StoredEntry | UntimedEntry | undefined {
  try {
    return envelope.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // no JSON
  }
}

/**
 * The times of another's value that Redis keeps for `ttlMs` more milliseconds (as `PTTL` tells): it answers, and is
 * renewed from its source at once, since nobody knows how old it is.
 */
export function timedEntry(
  { value }: UntimedEntry,
  { ttlMs, now }: { ttlMs: number; now: number },
): StoredEntry {
  const leftMs = ttlMs === NO_EXPIRY ? MAX_UNTIMED_MS : ttlMs;
  const expiresAt = now + Math.min(leftMs, MAX_UNTIMED_MS);
  return { value, refreshAt: now, expiresAt, staleUntil: expiresAt };
}
