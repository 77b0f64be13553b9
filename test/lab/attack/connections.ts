/** The connections of an attack. */
import { dial, type Endpoint } from "../../support/dial.ts";

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
