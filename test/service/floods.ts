/** Floods of a gateway, for the thread that carries them out. */
import type { Flood } from "../attack/attack.ts";
import { streamFloods } from "../attack/attacks/stream_floods.ts";
import { websocketFloods } from "../attack/attacks/websocket_floods.ts";
import { dial } from "../support/dial.ts";

/** A flood to start. */
export interface FloodOrder {
  readonly name: string;
  /** The gateway's. */
  readonly port: number;
  readonly hostile: string;
  readonly innocent: string;
}

/** They take a new connection every time, and would use up the ports of the machine: `deno task attack` tries them. */
const RECONNECTING = ["flood-reconnects", "flood-handshakes", "flood-garbage"];

/** All other floods. */
export const FLOODS: readonly Flood[] = [...websocketFloods, ...streamFloods]
  .filter(({ name }) => !RECONNECTING.includes(name));

/** Floods until the function that it returns is called. */
export function startFlood(order: FloodOrder): () => Promise<void> {
  const ending = new AbortController();
  const open: Deno.Conn[] = [];
  const flooding = FLOODS.find(({ name }) => name === order.name)?.run({
    scheme: "http",
    ...order,
    signal: ending.signal,
    async connect() {
      ending.signal.throwIfAborted();
      const conn = await dial({ scheme: "http", port: order.port });
      open.push(conn);
      return conn;
    },
  });
  return async () => {
    ending.abort();
    for (const conn of open) {
      try {
        conn.close();
      } catch {
        // Its client has closed it.
      }
    }
    await flooding;
  };
}
