import type { StoreKey } from "./store.ts";

/**
 * The kinds that Daytona's API and Go proxy keep in the same Redis: they read what we write there, write what we read,
 * and delete what no longer holds.
 */
export const DAYTONA_KINDS: ReadonlySet<string> = new Set([
  "sandbox-public",
  "sandbox-runner-info",
]);

/** The name of a key in Redis: `proxy:{kind}:{id}` for Daytona's kinds, as Daytona has it, else one of our own. */
export function redisKey([kind, ...parts]: StoreKey): string {
  const owner = DAYTONA_KINDS.has(kind) ? "proxy" : "porthole";
  // An id's and a digest's characters stay as they are; any other cannot pass for a separator.
  return [owner, kind, ...parts.map(encodePart)].join(":");
}

function encodePart(part: string): string {
  return encodeURIComponent(part.toWellFormed());
}
