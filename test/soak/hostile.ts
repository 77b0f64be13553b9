/**
 * The thread of the attackers: the app of three hostile sandboxes, and their clients, who flood the gateway for a
 * moment, one flood after the other. What becomes of them is of no interest here, only what innocent visitors notice.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Arena, Flood } from "../lab/attack/attack.ts";
import { http2 } from "../lab/attack/attacks/http2.ts";
import { memory } from "../lab/attack/attacks/memory.ts";
import { streamFloods } from "../lab/attack/attacks/stream_floods.ts";
import { websocketFloods } from "../lab/attack/attacks/websocket_floods.ts";
import { AttackConnections } from "../lab/attack/connections.ts";
import { stepBack } from "../lab/attack/priority.ts";
import { startHostileApp } from "../support/hostile_app.ts";

/** What the thread is told: whom to attack and for whom, or to stop. */
export interface ToHostile {
  readonly port?: number;
  /** The hosts of the hostile sandboxes, each of which attacks by itself. */
  readonly hosts?: readonly string[];
  readonly innocent?: string;
}

/** What the thread says: where its app listens, and that everybody has stopped. */
export type FromHostile = { readonly appPort: number } | {
  readonly stopped: true;
};

/** How long a flood lasts, and the pause after it, ms. */
const FLOOD_MS = 1500;
const PAUSE_MS = 2500;

/** Longer than a flood takes to notice its end, ms. */
const GRACE_MS = 3000;

/**
 * Over plain HTTP, as the gateway is reached here, all floods amid which innocent visitors are promised as much as ever:
 * not those of HTTP/2 without TLS, for example.
 */
const FLOODS: readonly Flood[] = [
  ...websocketFloods,
  ...streamFloods,
  ...memory,
  ...http2,
].filter(({ only, limit }) =>
  only !== "https" && (limit === undefined || limit.over === "https")
);

/** The part of a worker's global scope that is used here. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<ToHostile>) => void) | null;
  postMessage(message: FromHostile): void;
}

const scope = globalThis as unknown as WorkerScope;
let stopping = new AbortController();
let attackers: Promise<unknown> = Promise.resolve();

/** Floods for a moment, and closes what is left of it. */
async function floodOnce(
  flood: Flood,
  { port, hostile, innocent }: Pick<Arena, "port" | "hostile" | "innocent">,
): Promise<void> {
  const timeUp = AbortSignal.timeout(FLOOD_MS);
  const signal = AbortSignal.any([timeUp, stopping.signal]);
  const endpoint = { scheme: "http", port } as const;
  using connections = new AttackConnections(endpoint, signal);
  const arena: Arena = {
    ...endpoint,
    ...{ hostile, innocent, signal },
    connect: () => connections.connect(),
  };
  await Promise.race([flood.run(arena), delay(FLOOD_MS + GRACE_MS)]);
}

/** Goes through all floods, from a different one for each sandbox, until the thread is told to stop. */
async function attack(
  first: number,
  arena: Pick<Arena, "port" | "hostile" | "innocent">,
): Promise<void> {
  const { signal } = stopping;
  for (let turn = first; !signal.aborted; turn++) {
    const flood = FLOODS[turn % FLOODS.length];
    if (flood !== undefined) await floodOnce(flood, arena);
    await delay(PAUSE_MS, undefined, { signal }).catch(() => {});
  }
}

scope.onmessage = async ({ data: { port, hosts = [], innocent = "" } }) => {
  if (port === undefined) {
    stopping.abort();
    await attackers;
    scope.postMessage({ stopped: true });
    return;
  }
  stopping = new AbortController();
  attackers = Promise.all(
    hosts.map((hostile, i) =>
      attack(Math.floor(i * FLOODS.length / hosts.length), {
        port,
        hostile,
        innocent,
      })
    ),
  );
};

await stepBack();
scope.postMessage({ appPort: startHostileApp().port });
