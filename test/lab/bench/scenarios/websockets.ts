/** Tunnels: messages per second through 32 of them, and the memory of 5,000 that are idle. */
import { setTimeout as delay } from "node:timers/promises";
import { GATEWAY, NGINX, present, WEBSOCKET_RELAY } from "../contestants.ts";
import type { Reading, Work } from "../drive.ts";
import { memoryOfAll, mostConnections } from "../machine.ts";
import { measureRounds, underSame } from "../rounds.ts";
import { figureOf, ratioOf, type Scenario } from "../scenario.ts";
import { pidsOf, type Server } from "../server.ts";
import { openEcho } from "./echo_client.ts";

const CONNECTIONS = 32;

/** Messages that came back, per second. */
const ECHOES = "echoes/s";

/** Every client sends its next message as soon as the previous one has come back. */
async function driveEchoes(
  { port }: Server,
  seconds: number,
  size: number,
): Promise<Work> {
  using clients = new DisposableStack();
  const opened = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => openEcho(port, size)),
  );
  for (const client of opened) clients.use(client);
  const startedAt = performance.now();
  const until = startedAt + seconds * 1000;
  let count = 0;
  await Promise.all(opened.map(async (client) => {
    while (performance.now() < until) {
      await client.echo();
      count++;
    }
  }));
  const elapsedSec = (performance.now() - startedAt) / 1000;
  return { count, reading: { [ECHOES]: count / elapsedSec } };
}

function echoes(name: string, about: string, size: number): Scenario {
  function drive(server: Server, seconds: number): Promise<Work> {
    return driveEchoes(server, seconds, size);
  }
  return {
    name,
    about,
    async measure(world) {
      const contestants = present(world, [GATEWAY, WEBSOCKET_RELAY, NGINX]);
      const rows = await measureRounds(world, underSame(drive, contestants));
      const figures = ratioOf("rate : bare relay", rows, {
        of: GATEWAY.name,
        to: WEBSOCKET_RELAY.name,
        quantity: ECHOES,
      });
      return { quantity: ECHOES, rows, figures };
    },
    drive,
  };
}

const TUNNELS = 5_000;
/** Opened concurrently: more would overflow the listen queue. */
const AT_ONCE = 50;
/** Time for the garbage of opening them to be collected. */
const SETTLE_MS = 3_000;

export const MEMORY = "KiB a tunnel";

/** Opens tunnels, lets them idle, and measures the memory that they take. */
async function memoryPerTunnel(
  server: Server,
  count: number,
): Promise<Reading> {
  using clients = new DisposableStack();
  const pids = pidsOf(server);
  const before = await memoryOfAll(pids);
  for (let opened = 0; opened < count; opened += AT_ONCE) {
    const batch = Array.from(
      { length: Math.min(AT_ONCE, count - opened) },
      () => openEcho(server.port, 0),
    );
    for (const client of await Promise.all(batch)) clients.use(client);
  }
  await delay(SETTLE_MS);
  const after = await memoryOfAll(pids);
  return {
    [MEMORY]: before === undefined || after === undefined
      ? undefined
      : (after.now - before.now) / count,
  };
}

const idleTunnels: Scenario = {
  name: "tunnels",
  about: "resident memory of an idle WebSocket, of 5,000",
  async measure(world) {
    const count = Math.min(TUNNELS, await mostConnections());
    const rows = [];
    for (const contestant of [GATEWAY, WEBSOCKET_RELAY]) {
      // A new process for each, since memory that was used before would be reused.
      await using server = await contestant.start(world);
      await driveEchoes(server, 1, 128);
      const reading = await memoryPerTunnel(server, count);
      rows.push({ contestant: contestant.name, rounds: [reading] });
    }
    return {
      quantity: MEMORY,
      rows,
      figures: figureOf("memory", rows, [GATEWAY.name, MEMORY]),
      notes: count < TUNNELS
        ? [`Only ${count}: the system allows no more open files.`]
        : [],
    };
  },
};

/** Scenarios of WebSockets. */
export const WEBSOCKETS: readonly Scenario[] = [
  echoes(
    "echo-128",
    "WebSocket messages of 128 B and back, 32 connections",
    128,
  ),
  echoes(
    "echo-64k",
    "WebSocket messages of 64 KiB and back, 32 connections",
    64 * 1024,
  ),
  idleTunnels,
];
