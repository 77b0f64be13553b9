/** Innocent clients whose losses are counted, and only some of them judged: who is hit beside the attackers. */
import { setTimeout as delay } from "node:timers/promises";
import { dial, type Endpoint, writeAll } from "../../support/dial.ts";
import { failureOf, LoadClient } from "../../support/load_client.ts";
import {
  clientFrame,
  EchoSocket,
  handshakeOf,
  openWebSocket,
} from "../../support/raw_websocket.ts";
import { type BystanderName, hostOf, MIB, QUIET } from "./attack.ts";

/** What was tried, and how often it failed. */
export interface Loss {
  readonly tried: number;
  readonly lost: number;
}

/**
 * By name: WebSockets that send a message now and then and quiet ones, both elsewhere and at a flooder's address;
 * messages of a MiB, and back; and pages at a flooder's address.
 */
export type Losses = Readonly<Record<BystanderName, Loss>>;

/** Addresses: that of an attacker, see attacks/slow_holders.ts, and others. */
const NEIGHBOUR = "198.51.100.0";

/** Between two attempts of one who is lively, ms. */
const PACE_MS = 500;

const SOCKETS = 5;

const LARGE = new Uint8Array(MIB).fill(0x61);

/** Those of one gateway. */
export class Bystanders {
  readonly #endpoint: Endpoint;
  /** Where attackers come from, too. */
  readonly #beside: Endpoint;
  readonly #patienceMs: number;
  readonly #stopping = new AbortController();
  readonly #running: Promise<unknown>[] = [];
  readonly #quiet: (readonly [BystanderName, Promise<EchoSocket | number>])[] =
    [];
  #losses = noLosses();

  constructor(endpoint: Endpoint, patienceMs: number) {
    this.#endpoint = endpoint;
    this.#beside = { ...endpoint, hostname: "127.0.0.1" };
    this.#patienceMs = patienceMs;
  }

  start(): void {
    for (let i = 0; i < SOCKETS; i++) {
      this.#quiet.push(["quiet", this.#open(`192.0.2.${10 + i}`)]);
      this.#quiet.push(["neighbour's quiet", this.#open(NEIGHBOUR)]);
    }
    this.#repeat("lively", this.#speaker("192.0.2.2"));
    this.#repeat("neighbour's lively", this.#speaker(NEIGHBOUR));
    this.#repeat("large", () => this.#sendLarge());
    const client = new LoadClient(
      this.#endpoint.port,
      () => dial(this.#beside),
      this.#patienceMs,
    );
    this.#stopping.signal.addEventListener(
      "abort",
      () => client[Symbol.dispose](),
    );
    const page = {
      host: hostOf(QUIET),
      path: "/",
      headers: { "X-Forwarded-For": NEIGHBOUR },
    };
    this.#repeat(
      "neighbour's page",
      async () => await client.send(page) === "200",
    );
  }

  /** Forgets what was lost so far: the attack begins. */
  forget(): void {
    this.#losses = noLosses();
  }

  /** Ends it, and returns what was lost; a quiet WebSocket is lost if it is no longer open. */
  async stop(): Promise<Losses> {
    this.#stopping.abort();
    await Promise.all(this.#running);
    for (const [name, opening] of this.#quiet) {
      const socket = await opening.catch(() => 0);
      if (typeof socket === "number") {
        this.#count(name, false);
        continue;
      }
      const echo = socket.echo("still there?").catch(failureOf);
      this.#count(name, await this.#inTime(echo) === "still there?");
      socket[Symbol.dispose]();
    }
    return this.#losses;
  }

  #count(name: BystanderName, isWell: boolean): void {
    const { tried, lost } = this.#losses[name];
    this.#losses[name] = { tried: tried + 1, lost: lost + (isWell ? 0 : 1) };
  }

  #repeat(name: BystanderName, act: () => Promise<boolean>): void {
    const { signal } = this.#stopping;
    this.#running.push((async () => {
      while (!signal.aborted) {
        const isWell = await act().catch(() => false);
        if (!signal.aborted) this.#count(name, isWell);
        await delay(PACE_MS, undefined, { signal }).catch(() => {});
      }
    })());
  }

  async #open(address: string): Promise<EchoSocket | number> {
    const headers = { "X-Forwarded-For": address };
    const handshake = handshakeOf(hostOf(QUIET), "/ws", headers);
    const isNeighbour = address === NEIGHBOUR;
    const conn = await dial(isNeighbour ? this.#beside : this.#endpoint);
    // It is to be quiet for as long as the attack goes on.
    return await EchoSocket.open(conn, handshake, 60_000);
  }

  /** Says something through one WebSocket, and opens another if that fails. */
  #speaker(address: string): () => Promise<boolean> {
    let opening: Promise<EchoSocket | number> | undefined;
    return async () => {
      const socket = await (opening ??= this.#open(address)).catch(() => 0);
      const echo = typeof socket === "number"
        ? undefined
        : await this.#inTime(socket.echo("hello").catch(failureOf));
      if (echo === "hello") return true;
      opening = undefined;
      if (typeof socket !== "number") socket[Symbol.dispose]();
      return false;
    };
  }

  async #sendLarge(): Promise<boolean> {
    using conn = await dial(this.#endpoint);
    const headers = { "X-Forwarded-For": "192.0.2.3" };
    const handshake = handshakeOf(hostOf(QUIET), "/ws", headers);
    if (await openWebSocket(conn, handshake) !== 101) return false;
    const reading = this.#inTime(readBytes(conn, LARGE.length));
    await writeAll(conn, clientFrame(2, LARGE));
    return await reading === true;
  }

  async #inTime<T>(answer: Promise<T>): Promise<T | undefined> {
    const ended = new AbortController();
    try {
      const silence = delay(this.#patienceMs, undefined, {
        signal: ended.signal,
      });
      return await Promise.race([answer, silence]);
    } finally {
      ended.abort();
    }
  }
}

/** Whether so many bytes come. */
async function readBytes(conn: Deno.Conn, length: number): Promise<boolean> {
  const buffer = new Uint8Array(256 * 1024);
  try {
    for (let total = 0; total < length;) {
      const count = await conn.read(buffer);
      if (count === null) return false;
      total += count;
    }
    return true;
  } catch {
    return false;
  }
}

function noLosses(): Record<BystanderName, Loss> {
  const none = { tried: 0, lost: 0 };
  return {
    "lively": none,
    "quiet": none,
    "large": none,
    "neighbour's page": none,
    "neighbour's lively": none,
    "neighbour's quiet": none,
  };
}
