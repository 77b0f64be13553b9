import type { StoreKey } from "../store.ts";

/** The kinds that Daytona's API and Go proxy keep in the same Redis: they read, write and delete the same entries. */
export const DAYTONA_KINDS: ReadonlySet<string> = new Set([
  "sandbox-public",
  "sandbox-runner-info",
]);

/** The name of a key in Redis: Daytona's `proxy:{kind}:{id}` for Daytona's kinds, `porthole:{kind}:…` for others. */
export function redisKey([kind, ...parts]: StoreKey): string {
  const owner = DAYTONA_KINDS.has(kind) ? "proxy" : "porthole";
  // The characters of ids and digests stay as they are; any other is encoded, so that it is not taken for a separator.
  return [owner, kind, ...parts.map(encodePart)].join(":");
}

function encodePart(part: string): string {
  return encodeURIComponent(part.toWellFormed());
}
