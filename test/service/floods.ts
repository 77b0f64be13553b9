/** Floods of a gateway, for the thread that carries them out. */
import type { Flood } from "../lab/attack/attack.ts";
import { streamFloods } from "../lab/attack/attacks/stream_floods.ts";
import { websocketFloods } from "../lab/attack/attacks/websocket_floods.ts";
import { AttackConnections } from "../lab/attack/connections.ts";

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
  const { signal } = ending;
  const endpoint = { scheme: "http", port: order.port } as const;
  const connections = new AttackConnections(endpoint, signal);
  const flooding = FLOODS.find(({ name }) => name === order.name)?.run({
    ...endpoint,
    ...order,
    signal,
    connect: () => connections.connect(),
  });
  return async () => {
    ending.abort();
    await flooding;
  };
}
