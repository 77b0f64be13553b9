/** Decides which of the gateways that share a store reports that a sandbox is in use: the first one to claim it. */
import type { DurableStore, StoreKey } from "../cache/store.ts";
import { isPending } from "../lib/cooldown.ts";

/** Dependencies of the claims. */
export interface ActivityClaimsOptions {
  readonly store: Pick<DurableStore, "get" | "set">;
  /** Identifies this gateway among them. */
  readonly self: string;
  /** The time that a claim is held, ms. */
  readonly holdMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Creates a function that resolves with the time from which this gateway may report the sandbox, ms since the epoch; if
 * that is now, it also claims the sandbox. Two gateways that ask at the same moment may both get it: one report too
 * many does no harm, while one too few stops a sandbox.
 */
export function createActivityClaims(
  { store, self, holdMs, now }: ActivityClaimsOptions,
): (sandboxId: string) => Promise<number> {
  return async function claim(sandboxId) {
    const key: StoreKey = ["sandbox-last-activity-update", sandboxId];
    const found = await store.get(key);
    // The clock of the gateway that holds the claim may be ahead, but not by hours.
    if (
      typeof found === "object" && found.value !== self &&
      isPending(found.expiresAt, { now: now(), withinMs: 2 * holdMs })
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
