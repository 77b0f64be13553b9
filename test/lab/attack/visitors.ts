/** Innocent visitors of a gateway, each with one request at its fixed pace, however slowly the last one is answered. */
import { setTimeout as delay } from "node:timers/promises";
import { dial, type Endpoint } from "../../support/dial.ts";
import { failureOf, LoadClient } from "../../support/load_client.ts";
import { EchoSocket, handshakeOf } from "../../support/raw_websocket.ts";
import { BASE, hostOf, QUIET } from "./attack.ts";

/** What a visitor saw. */
export interface Sight {
  readonly latenciesMs: readonly number[];
  /** Outcomes other than the right one, with their number. */
  readonly wrong: Readonly<Record<string, number>>;
}

/** What all visitors saw, by name. */
export type Sights = Readonly<Record<VisitorName, Sight>>;

/** A check of the process, a page, a page on a new connection, and a message through a tunnel. */
export type VisitorName = "health" | "preview" | "arrival" | "tunnel";

/** Visitors are at another address than attackers. */
const ADDRESS = { "X-Forwarded-For": "192.0.2.1" };

const HEALTH = { host: BASE, path: "/health" };
const PAGE = { host: hostOf(QUIET), path: "/" };

/** Between two requests of a visitor, ms. */
const PACE_MS = 40;

/** Requests of a visitor that may be without an answer; it stays away until there is one. */
const MAX_WAITING = 200;

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
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  readonly #waiting = new Set<Promise<void>>();
  #sights = emptySights();
  #tunnel: Promise<EchoSocket | number> | undefined;

  /** `patienceMs` is as long as anybody waits for an answer, ms. */
  constructor(endpoint: Endpoint, patienceMs: number) {
    this.#endpoint = endpoint;
    this.#patienceMs = patienceMs;
    this.#client = this.#newClient();
  }

  /** Begins to visit. */
  start(): void {
    const visits: Readonly<Record<VisitorName, () => Promise<string>>> = {
      health: () => this.#client.send({ ...HEALTH, headers: ADDRESS }),
      preview: () => this.#client.send({ ...PAGE, headers: ADDRESS }),
      arrival: () => this.#arrive(),
      tunnel: () => this.#speak(),
    };
    for (const name of VISITORS) {
      let waiting = 0;
      this.#timers.push(setInterval(async () => {
        if (waiting >= MAX_WAITING) return;
        waiting++;
        const visit = this.#visit(name, visits[name]);
        this.#waiting.add(visit);
        await visit;
        this.#waiting.delete(visit);
        waiting--;
      }, PACE_MS));
    }
  }

  /** What was seen since the start or the last call, once everything asked until now is answered or given up. */
  async take(): Promise<Sights> {
    const sights = this.#sights;
    this.#sights = emptySights();
    await Promise.all(this.#waiting);
    return sights;
  }

  /** Ends the visits, and waits for the last answers. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#waiting);
    this.#client[Symbol.dispose]();
    if (this.#tunnel !== undefined) await this.#leave(this.#tunnel);
  }

  async #visit(
    name: VisitorName,
    visit: () => Promise<string>,
  ): Promise<void> {
    const sight = this.#sights[name];
    const startedAt = performance.now();
    const outcome = await visit().catch(failureOf);
    sight.latenciesMs.push(performance.now() - startedAt);
    if (outcome !== "200") {
      sight.wrong[outcome] = (sight.wrong[outcome] ?? 0) + 1;
    }
  }

  async #arrive(): Promise<string> {
    using client = this.#newClient();
    return await client.send({ ...PAGE, headers: ADDRESS });
  }

  #newClient(): LoadClient {
    const { port } = this.#endpoint;
    return new LoadClient(port, () => dial(this.#endpoint), this.#patienceMs);
  }

  async #speak(): Promise<string> {
    const opening = this.#tunnel ??= this.#open();
    try {
      const tunnel = await opening;
      const text = crypto.randomUUID();
      const echo = typeof tunnel === "number"
        ? String(tunnel)
        : await orSilence(tunnel.echo(text), this.#patienceMs);
      if (echo === text) return "200";
      await this.#leave(opening);
      return echo;
    } catch (error) {
      await this.#leave(opening);
      throw error;
    }
  }

  async #open(): Promise<EchoSocket | number> {
    const conn = await dial(this.#endpoint);
    const handshake = handshakeOf(hostOf(QUIET), "/ws", ADDRESS);
    return await EchoSocket.open(conn, handshake, this.#patienceMs);
  }

  async #leave(opening: Promise<EchoSocket | number>): Promise<void> {
    if (this.#tunnel === opening) this.#tunnel = undefined;
    const tunnel = await opening.catch(() => 0);
    if (typeof tunnel !== "number") tunnel[Symbol.dispose]();
  }
}

/** The answer, or "silence" if nobody would wait for it any more. */
async function orSilence(
  answer: Promise<string>,
  patienceMs: number,
): Promise<string> {
  const ended = new AbortController();
  const { signal } = ended;
  try {
    const silence = delay(patienceMs, "silence", { signal });
    return await Promise.race([answer, silence]);
  } finally {
    ended.abort();
  }
}

interface OpenSight {
  readonly latenciesMs: number[];
  readonly wrong: Record<string, number>;
}

function emptySights(): Record<VisitorName, OpenSight> {
  const sight = () => ({ latenciesMs: [], wrong: {} });
  return {
    health: sight(),
    preview: sight(),
    arrival: sight(),
    tunnel: sight(),
  };
}
