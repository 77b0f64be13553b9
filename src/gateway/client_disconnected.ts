import { setImmediate } from "node:timers";

/** How many turns of the event loop pass at most between a client's leaving and the abort of its request's signal. */
const TURNS = 10;

/**
 * Whether the client has left, as far as the platform has noticed: `Deno.serve()` aborts a request's signal some turns
 * of the event loop later, and only if the signal was accessed before.
 */
export async function hasDisconnected(signal: AbortSignal): Promise<boolean> {
  for (let turn = 0; turn < TURNS && !signal.aborted; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  return signal.aborted;
}
