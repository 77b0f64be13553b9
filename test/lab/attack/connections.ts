/** The connections of an attack, and a flood that takes nothing else. */
import { dial, type Endpoint } from "../../support/dial.ts";
import type { Arena, Flood } from "./attack.ts";

/** Connections to a gateway, which are closed once the attack's time is up, or it is over. */
export class AttackConnections implements Disposable {
  readonly #endpoint: Endpoint;
  readonly #signal: AbortSignal;
  readonly #conns: Deno.Conn[] = [];

  /** `signal` is aborted when the time is up. */
  constructor(endpoint: Endpoint, signal: AbortSignal) {
    this.#endpoint = endpoint;
    this.#signal = signal;
    signal.addEventListener("abort", () => this[Symbol.dispose]());
  }

  /** Connects, over TLS with this protocol; what comes too late is closed already. */
  async connect(protocol?: string): Promise<Deno.TcpConn | Deno.TlsConn> {
    const conn = await dial(this.#endpoint, protocol);
    this.#conns.push(conn);
    if (this.#signal.aborted) this[Symbol.dispose]();
    return conn;
  }

  /** Closes those that are still open. */
  [Symbol.dispose](): void {
    for (const conn of this.#conns.splice(0)) conn[Symbol.dispose]();
  }
}

/** Where a flood is, and what it needs to know besides. */
export type Place = Pick<Arena, "port" | "hostile" | "innocent">;

/** Floods a gateway over plain HTTP until `signal` is aborted, and closes what is left of it. */
export async function floodPlace(
  flood: Flood,
  { port, hostile, innocent }: Place,
  signal: AbortSignal,
): Promise<void> {
  const endpoint = { scheme: "http", port } as const;
  using connections = new AttackConnections(endpoint, signal);
  await flood.run({
    ...endpoint,
    ...{ hostile, innocent, signal },
    connect: () => connections.connect(),
  });
}
