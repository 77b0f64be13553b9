/** Attackers that do not give up, and that wait. */
import { setTimeout as delay } from "node:timers/promises";
import type { Arena } from "./attack.ts";

/** Between two attempts of one attacker, ms. */
const PAUSE_MS = 20;

/** Lets `count` attackers act at once, again whenever one of them is turned away, until the time is up. */
export async function persist(
  { signal }: Pick<Arena, "signal">,
  count: number,
  act: (attacker: number) => Promise<unknown>,
): Promise<void> {
  async function insist(attacker: number): Promise<void> {
    while (!signal.aborted) {
      try {
        await act(attacker);
      } catch {
        // The gateway, or the end of the attack, has closed the connection.
      }
      if (!signal.aborted) await delay(PAUSE_MS);
    }
  }
  await Promise.all(Array.from({ length: count }, (_, i) => insist(i)));
}

/** Does nothing until the attack is over. */
export function hold({ signal }: Pick<Arena, "signal">): Promise<void> {
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true })
  );
}
