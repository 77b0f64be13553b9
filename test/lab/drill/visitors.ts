/** Visitors of a drill: those of healthy sandboxes, those of sandboxes that nobody has opened yet, and the troubled ones'. */
import type { LoadClient } from "../../support/load_client.ts";
import { handshakeOf } from "../../support/raw_websocket.ts";
import { Crowd, type SightsOf } from "../harness/crowd.ts";
import {
  type DrillWorld,
  hostOf,
  PRIVATE,
  PUBLIC,
  troubledId,
} from "./world.ts";

/**
 * The kinds of visitors: of a public and of a private sandbox, of a download that takes two seconds, of a WebSocket, of a
 * public sandbox that was never opened before, and of sandboxes on the troubled runner.
 */
export const KINDS = [
  "public",
  "private",
  "download",
  "tunnel",
  "cold",
  "troubled",
] as const;

/** A kind of visitors. */
export type Kind = typeof KINDS[number];

/** What all visitors saw, by kind. */
export type Sights = SightsOf<Kind>;

/** Outcomes with their numbers. */
export type Outcomes = Readonly<Record<string, number>>;

/** As long as anybody waits for a byte, ms. */
const PATIENCE_MS = 45_000;

/** Far more than there can be. */
const MAX_WAITING = 10_000;

/** The address of a visitor, of some two hundred, from a counter. */
function address(count: number): Record<string, string> {
  return { "X-Forwarded-For": `198.51.100.${count % 200 + 1}` };
}

/** All visitors of a world, and those whom a scenario has wait besides. */
export class DrillVisitors {
  readonly #world: DrillWorld;
  readonly #crowd: Crowd<Kind>;
  readonly #client: LoadClient;
  #count = 0;

  /** They come from now on. */
  constructor(world: DrillWorld) {
    const { port } = world;
    this.#world = world;
    this.#crowd = new Crowd({ scheme: "http", port }, {
      patienceMs: PATIENCE_MS,
      maxWaiting: MAX_WAITING,
    });
    this.#client = this.#crowd.client();
    const handshake = handshakeOf(hostOf(PUBLIC), "/ws", address(0));
    const speaker = this.#crowd.speaker(handshake);
    this.#crowd.start({
      public: [50, () => this.#get(PUBLIC)],
      private: [50, () => this.#get(PRIVATE, "/", `${PRIVATE}-token`)],
      download: [500, () => this.#get(PUBLIC, "/drip")],
      tunnel: [50, () => speaker.speak()],
      cold: [500, () => this.#visitNewcomer()],
      troubled: [17, () => this.#get(troubledId(this.#count))],
    });
  }

  /** What was seen since the start or the last call, once everything asked until now is answered or given up. */
  take(): Promise<Sights> {
    return this.#crowd.take();
  }

  /** Ends the visits, and waits for the last answers. */
  async stop(): Promise<void> {
    await this.#crowd.stop();
  }

  /** Has so many visitors, each from another address, wait for an app that answers nobody; the function gives their outcomes. */
  hang(count: number, patienceMs: number): () => Promise<Outcomes> {
    const client = this.#crowd.newcomer(undefined, patienceMs);
    const waiting = Array.from({ length: count }, (_, index) => {
      const stands = `203.0.${113 + (index >> 8)}.${index & 255}`;
      const headers = { "X-Forwarded-For": stands };
      return client.send({ host: hostOf("hanging"), path: "/hang", headers });
    });
    return async () => {
      const outcomes = Map.groupBy(await Promise.all(waiting), (what) => what);
      client[Symbol.dispose]();
      const counts = [...outcomes].map(([what, all]) => [what, all.length]);
      return Object.fromEntries(counts);
    };
  }

  async #visitNewcomer(): Promise<string> {
    const sandboxId = `cold-${this.#count}`;
    this.#world.add(sandboxId);
    return await this.#get(sandboxId);
  }

  #get(sandboxId: string, path = "/", token?: string): Promise<string> {
    const headers = {
      ...address(this.#count++),
      ...token !== undefined && { "X-Daytona-Preview-Token": token },
    };
    return this.#client.send({ host: hostOf(sandboxId), path, headers });
  }
}
