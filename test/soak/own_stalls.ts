/** The load's own stalls: the API is in its process, and answers nobody while that stands still. */
import type { Accounts } from "./accounts.ts";

/** How often a timer looks whether the process stands still, ms. */
const LOOK_MS = 50;

/** A quarter of what the gateway waits for an answer of the API, ms: less cannot fail anybody's request. */
const STALL_MS = 500;

/** Records each stall of this process as a trouble, after it; the function that is returned ends that. `now` is in ms. */
export function watchOwnStalls(
  { accounts, now }: {
    readonly accounts: Pick<Accounts, "begin">;
    readonly now: () => number;
  },
): () => void {
  let lookedAt = now();
  const timer = setInterval(() => {
    const since = lookedAt;
    lookedAt = now();
    if (lookedAt - since < STALL_MS) return;
    accounts.begin("load_stalled", since)(lookedAt);
  }, LOOK_MS);
  return () => clearInterval(timer);
}
