/**
 * The thread of the attackers: the app of three hostile sandboxes, and their clients, who flood the gateway for a
 * moment, one flood after the other. What becomes of them is of no interest here, only what innocent visitors notice.
 */
import { setTimeout as delay } from "node:timers/promises";
import { startHostileApp } from "../../../support/hostile_app.ts";
import type { Flood } from "../attack.ts";
import { http2 } from "../attacks/http2.ts";
import { memory } from "../attacks/memory.ts";
import { streamFloods } from "../attacks/stream_floods.ts";
import { websocketFloods } from "../attacks/websocket_floods.ts";
import { floodPlace, type Place } from "../connections.ts";
import { stepBack } from "../../harness/priority.ts";
import { takeCalls } from "../../harness/thread.ts";

/** Whom to attack, and for whom. */
export interface Target {
  readonly port: number;
  /** The hosts of the hostile sandboxes, each of which attacks by itself. */
  readonly hosts: readonly string[];
  readonly innocent: string;
}

/** The calls that the attackers take. */
export interface HostileCalls {
  /** Starts the hostile app, and returns its port. */
  serve(): Promise<number>;
  /** Begins to attack. */
  attack(target: Target): void;
  /** Stops, and waits until everybody has. */
  stop(): Promise<void>;
}

/** How long a flood lasts, and the pause after it, ms. */
const FLOOD_MS = 1500;
const PAUSE_MS = 2500;

/** Longer than a flood takes to notice its end, ms. */
const GRACE_MS = 3000;

/**
 * Over plain HTTP, as the gateway is reached here, all floods amid which innocent visitors are promised as much as ever:
 * not those of HTTP/2 without TLS, for example. And all but the one that costs sockets, which are counted and bounded: at
 * rest, there are to be as many descriptors as before.
 */
const FLOODS: readonly Flood[] = [
  ...websocketFloods,
  ...streamFloods,
  ...memory,
  ...http2,
].filter(({ name, only, limit }) =>
  only !== "https" && (limit === undefined || limit.over === "https") &&
  name !== "S15-streamed-trailers"
);

let stopping = new AbortController();
let attackers: Promise<unknown> = Promise.resolve();

/** Floods for a moment. */
async function floodOnce(flood: Flood, place: Place): Promise<void> {
  const timeUp = AbortSignal.timeout(FLOOD_MS);
  const signal = AbortSignal.any([timeUp, stopping.signal]);
  await Promise.race([
    floodPlace(flood, place, signal),
    delay(FLOOD_MS + GRACE_MS),
  ]);
}

/** Goes through all floods, from a different one for each sandbox, until the thread is told to stop. */
async function attack(first: number, place: Place): Promise<void> {
  const { signal } = stopping;
  for (let turn = first; !signal.aborted; turn++) {
    const flood = FLOODS[turn % FLOODS.length];
    if (flood !== undefined) await floodOnce(flood, place);
    await delay(PAUSE_MS, undefined, { signal }).catch(() => {});
  }
}

takeCalls<HostileCalls>({
  async serve() {
    await stepBack();
    return startHostileApp().port;
  },
  attack({ port, hosts, innocent }) {
    stopping = new AbortController();
    attackers = Promise.all(
      hosts.map((hostile, i) =>
        attack(Math.floor(i * FLOODS.length / hosts.length), {
          ...{ port, hostile, innocent },
        })
      ),
    );
  },
  async stop() {
    stopping.abort();
    await attackers;
  },
});
