/** Visits to a gateway, each kind at its fixed pace, however slowly the last one is answered. */
import { setTimeout as delay } from "node:timers/promises";
import { dial, type Endpoint } from "./dial.ts";
import { failureOf } from "./load_client.ts";
import { EchoSocket } from "./raw_websocket.ts";

/** What the visits of one kind saw. */
export interface Sight {
  readonly latenciesMs: readonly number[];
  /** Outcomes other than the right one, with their number. */
  readonly wrong: Readonly<Record<string, number>>;
}

/** A kind of visits. */
export interface Visit {
  /** Between two of them, ms. */
  readonly paceMs: number;
  /** Most that may be without an answer; nobody else comes until there is one. */
  readonly maxWaiting: number;
  /** Comes once; resolves to the outcome, of which "200" is right. */
  readonly come: () => Promise<string>;
}

interface OpenSight {
  readonly latenciesMs: number[];
  readonly wrong: Record<string, number>;
}

/** Kinds of visits, by name. */
export class Visits<Name extends string> {
  readonly #kinds: readonly (readonly [Name, Visit])[];
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  readonly #waiting = new Set<Promise<void>>();
  #sights: Record<Name, OpenSight>;

  constructor(kinds: Readonly<Record<Name, Visit>>) {
    this.#kinds = Object.entries(kinds) as [Name, Visit][];
    this.#sights = this.#newSights();
  }

  /** Begins to visit. */
  start(): void {
    for (const [name, { paceMs, maxWaiting, come }] of this.#kinds) {
      let waiting = 0;
      this.#timers.push(setInterval(async () => {
        if (waiting >= maxWaiting) return;
        waiting++;
        const visit = this.#visit(name, come);
        this.#waiting.add(visit);
        await visit;
        this.#waiting.delete(visit);
        waiting--;
      }, paceMs));
    }
  }

  /** What was seen since the start or the last call, once everything asked until now is answered or given up. */
  async take(): Promise<Readonly<Record<Name, Sight>>> {
    const sights = this.#sights;
    this.#sights = this.#newSights();
    await Promise.all(this.#waiting);
    return sights;
  }

  /** Ends the visits, and waits for the last answers. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#waiting);
  }

  async #visit(name: Name, come: Visit["come"]): Promise<void> {
    const sight = this.#sights[name];
    const startedAt = performance.now();
    const outcome = await come().catch(failureOf);
    sight.latenciesMs.push(performance.now() - startedAt);
    if (outcome !== "200") {
      sight.wrong[outcome] = (sight.wrong[outcome] ?? 0) + 1;
    }
  }

  #newSights(): Record<Name, OpenSight> {
    const entries = this.#kinds.map(([name]) => [
      name,
      { latenciesMs: [], wrong: {} },
    ]);
    return Object.fromEntries(entries);
  }
}

/** Speaks through one WebSocket, which is opened again once it has failed. */
export class EchoVisitor {
  readonly #endpoint: Endpoint;
  readonly #handshake: string;
  readonly #patienceMs: number;
  #opening: Promise<EchoSocket | number> | undefined;

  /** `patienceMs` is as long as anybody waits for an echo, ms. */
  constructor(endpoint: Endpoint, handshake: string, patienceMs: number) {
    this.#endpoint = endpoint;
    this.#handshake = handshake;
    this.#patienceMs = patienceMs;
  }

  /** Sends a message; resolves to "200" if it comes back, and otherwise to what came. */
  async speak(): Promise<string> {
    const opening = this.#opening ??= this.#open();
    try {
      const socket = await opening;
      const text = crypto.randomUUID();
      const echo = typeof socket === "number"
        ? String(socket)
        : await orSilence(socket.echo(text), this.#patienceMs);
      if (echo === text) return "200";
      await this.#close(opening);
      return echo;
    } catch (error) {
      await this.#close(opening);
      throw error;
    }
  }

  /** Closes the WebSocket. */
  async leave(): Promise<void> {
    if (this.#opening !== undefined) await this.#close(this.#opening);
  }

  async #open(): Promise<EchoSocket | number> {
    const conn = await dial(this.#endpoint);
    return await EchoSocket.open(conn, this.#handshake, this.#patienceMs);
  }

  async #close(opening: Promise<EchoSocket | number>): Promise<void> {
    if (this.#opening === opening) this.#opening = undefined;
    const socket = await opening.catch(() => 0);
    if (typeof socket !== "number") socket[Symbol.dispose]();
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
