/**
 * Deno 2.9.6: `Deno.serve` aborts the signal of a request some turns of the event loop after it has noticed that the
 * client is gone, such as by the end of the request's body; and a WebSocket that is upgraded after that never opens,
 * never closes, reports no event and keeps its file descriptor. No upstream issue is known.
 *
 * Instead, whoever has to know waits for the signal for those turns. While the event loop is busy, Deno notices nothing
 * before it polls the client's socket (socket_turns.ts), so the first turns do that.
 */
import { setImmediate } from "node:timers";
import { takeTurn } from "../lib/fair_turn.ts";

/** Most turns of the event loop from a client's disconnection to the abort of its signal, and how many poll its socket. */
const TURNS = 10;
const POLLING_TURNS = 2;

/** True if the client has disconnected, given the signal of its request, which must have been accessed before. */
export async function hasDisconnected(signal: AbortSignal): Promise<boolean> {
  for (let turn = 0; turn < TURNS && !signal.aborted; turn++) {
    if (turn < POLLING_TURNS) await takeTurn();
    else await new Promise((resolve) => setImmediate(resolve));
  }
  return signal.aborted;
}
