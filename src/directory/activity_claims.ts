/** Which of several gateways with one cache reports that a sandbox is in use: the first one to say so. */
import type { DurableStore, StoreKey } from "../cache/store.ts";

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
 * Tells whether the sandbox is ours to report, and claims it. Two that ask in the same moment may both be told so: one
 * report too many is none of harm, one too few stops a sandbox.
 */
export function createActivityClaims(
  { store, self, holdMs, now }: ActivityClaimsOptions,
): (sandboxId: string) => Promise<boolean> {
  return async function claim(sandboxId) {
    const key: StoreKey = ["sandbox-last-activity-update", sandboxId];
    const found = await store.get(key);
    if (
      typeof found === "object" && found.value !== self &&
      now() < found.expiresAt
    ) return false;
    const until = now() + holdMs;
    await store.set(key, {
      value: self,
      refreshAt: until,
      expiresAt: until,
      staleUntil: until,
    });
    return true;
  };
}
