/** Floods of a gateway, for the thread that carries them out. */
import type { Flood } from "../lab/attack/attack.ts";
import { streamFloods } from "../lab/attack/attacks/stream_floods.ts";
import { websocketFloods } from "../lab/attack/attacks/websocket_floods.ts";
import { floodPlace, type Place } from "../lab/attack/connections.ts";

/** A flood to start. */
export interface FloodOrder extends Place {
  readonly name: string;
}

/** They take a new connection every time, and would use up the ports of the machine: `deno task attack` tries them. */
const RECONNECTING = ["flood-reconnects", "flood-handshakes", "flood-garbage"];

/** All other floods. */
export const FLOODS: readonly Flood[] = [...websocketFloods, ...streamFloods]
  .filter(({ name }) => !RECONNECTING.includes(name));

/** Floods until the function that it returns is called. */
export function startFlood(order: FloodOrder): () => Promise<void> {
  const ending = new AbortController();
  const flood = FLOODS.find(({ name }) => name === order.name);
  const flooding = flood && floodPlace(flood, order, ending.signal);
  return async () => {
    ending.abort();
    await flooding;
  };
}
