/** Which of several gateways with one cache reports that a sandbox is in use: the first one to say so. */
import type { DurableStore, StoreKey } from "../cache/store.ts";
import { isUpcoming } from "../lib/upcoming.ts";

/** Parts of the claims. */
export interface ActivityClaimsOptions {
  readonly store: Pick<DurableStore, "get" | "set">;
  /** This gateway's own name among them. */
  readonly self: string;
  /** How long a claim holds, ms. */
  readonly holdMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Tells when the sandbox is ours to report, ms since the epoch, and claims it where that is now. Two that ask in the same moment may both be told so: one
 * report too many is none of harm, one too few stops a sandbox.
 */
export function createActivityClaims(
  { store, self, holdMs, now }: ActivityClaimsOptions,
): (sandboxId: string) => Promise<number> {
  return async function claim(sandboxId) {
    const key: StoreKey = ["sandbox-last-activity-update", sandboxId];
    const found = await store.get(key);
    // Whoever made it may have a clock that is ahead, but not by hours.
    if (
      typeof found === "object" && found.value !== self &&
      isUpcoming(found.expiresAt, { now: now(), withinMs: 2 * holdMs })
    ) return found.expiresAt;
    const until = now() + holdMs;
    await store.set(key, {
      value: self,
      refreshAt: until,
      expiresAt: until,
      staleUntil: until,
    });
    return now();
  };
}
