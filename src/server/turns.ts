/** Fairness among sockets (see lib/fair_turn.ts). */
import { takeTurnsBy } from "../lib/fair_turn.ts";
import { SocketTurns } from "../platform/socket_turns.ts";

/** Has this thread's readers be fair to all sockets, where the platform allows connections to ourselves. */
export async function openTurns(): Promise<DisposableStack> {
  const open = new DisposableStack();
  try {
    const turns = open.use(await SocketTurns.open());
    open.use(takeTurnsBy(() => turns.next()));
  } catch {
    // Sockets are polled less often beside a flood.
  }
  return open;
}
