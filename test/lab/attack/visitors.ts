/** Innocent visitors of a gateway. */
import { dial, type Endpoint } from "../../support/dial.ts";
import { LoadClient } from "../../support/load_client.ts";
import { handshakeOf } from "../../support/raw_websocket.ts";
import { EchoVisitor, type Sight, Visits } from "../../support/visits.ts";
import { BASE, hostOf, QUIET } from "./attack.ts";

/** What all visitors saw, by name. */
export type Sights = Readonly<Record<VisitorName, Sight>>;

/** A check of the process, a page, a page on a new connection, and a message through a tunnel. */
export type VisitorName = "health" | "preview" | "arrival" | "tunnel";

/** Visitors are at another address than attackers. */
const ADDRESS = { "X-Forwarded-For": "192.0.2.1" };

const HEALTH = { host: BASE, path: "/health", headers: ADDRESS };
const PAGE = { host: hostOf(QUIET), path: "/", headers: ADDRESS };
const HANDSHAKE = handshakeOf(hostOf(QUIET), "/ws", ADDRESS);

const PACE = { paceMs: 40, maxWaiting: 200 };

/** The names of all visitors. */
export const VISITORS: readonly VisitorName[] = [
  "health",
  "preview",
  "arrival",
  "tunnel",
];

/** All visitors of one gateway. */
export class Visitors {
  readonly #client: LoadClient;
  readonly #endpoint: Endpoint;
  readonly #patienceMs: number;
  readonly #tunnel: EchoVisitor;
  readonly #visits: Visits<VisitorName>;
  #arrivals = 0;

  /** `patienceMs` is as long as anybody waits for an answer, ms. */
  constructor(endpoint: Endpoint, patienceMs: number) {
    this.#endpoint = endpoint;
    this.#patienceMs = patienceMs;
    this.#client = this.#newClient();
    this.#tunnel = new EchoVisitor(endpoint, HANDSHAKE, patienceMs);
    this.#visits = new Visits({
      health: { ...PACE, come: () => this.#client.send(HEALTH) },
      preview: { ...PACE, come: () => this.#client.send(PAGE) },
      arrival: { ...PACE, come: () => this.#arrive() },
      tunnel: { ...PACE, come: () => this.#tunnel.speak() },
    });
  }

  /** Begins to visit. */
  start(): void {
    this.#visits.start();
  }

  /** What was seen since the start or the last call, once everything asked until now is answered or given up. */
  take(): Promise<Sights> {
    return this.#visits.take();
  }

  /** Ends the visits, and waits for the last answers. */
  async stop(): Promise<void> {
    await this.#visits.stop();
    this.#client[Symbol.dispose]();
    await this.#tunnel.leave();
  }

  /** Somebody else each time, at an address of their own: one that has 100 exchanges at once is refused more. */
  async #arrive(): Promise<string> {
    using client = this.#newClient();
    const address = `198.18.0.${this.#arrivals++ % 250 + 1}`;
    return await client
      .send({ ...PAGE, headers: { "X-Forwarded-For": address } });
  }

  #newClient(): LoadClient {
    const { port } = this.#endpoint;
    return new LoadClient(port, () => dial(this.#endpoint), this.#patienceMs);
  }
}
