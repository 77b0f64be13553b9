/**
 * A thousand requests at once that no cache can answer: how often the API is asked, and how long the slowest ones wait.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { FakeApi } from "../../../../scripts/stand_in/api.ts";
import { quantile } from "../../../support/quantile.ts";
import { FETCH_PROXY, GATEWAY, HOSTS, NGINX, present } from "../contestants.ts";
import type { Drive, Reading, Work } from "../drive.ts";
import {
  figureOf,
  interleave,
  type Outcome,
  type Row,
  type Scenario,
} from "../scenario.ts";
import type { Server } from "../server.ts";
import { addSandboxes, type World } from "../world.ts";
import { driveGets } from "./rates.ts";
import { connect, headOf, type RawRequest, send } from "./raw_http.ts";

const REQUESTS = 1_000;
const ROUNDS = 3;
/** Connections opened concurrently: more would overflow the listen queue. */
const AT_ONCE = 100;

/** The API's time for every response. */
const API_MS = 50;

const P99 = "p99 ms";
const CALLS = "calls a key";

/** Enough for a response of 1 KiB and its head. */
const READ_BYTES = 4096;

/** Sends all requests at once, on connections opened before; returns the times to first byte, in ms. */
async function burst(
  port: number,
  requests: readonly RawRequest[],
): Promise<number[]> {
  using opened = new DisposableStack();
  const ready: { conn: Deno.TcpConn; head: Uint8Array<ArrayBuffer> }[] = [];
  for (let at = 0; at < requests.length; at += AT_ONCE) {
    const batch = requests.slice(at, at + AT_ONCE).map(async (request) => {
      const conn = opened.use(await connect(port));
      ready.push({ conn, head: headOf(request) });
    });
    await Promise.all(batch);
  }
  return await Promise.all(ready.map(async ({ conn, head }) => {
    const startedAt = performance.now();
    await send(conn, head);
    const buffer = new Uint8Array(READ_BYTES);
    const count = await conn.read(buffer) ?? 0;
    const tookMs = performance.now() - startedAt;
    const start = new TextDecoder().decode(buffer.subarray(0, count));
    if (!start.startsWith("HTTP/1.1 200 ")) {
      throw new Error(`Refused in a burst: ${start.split("\r\n")[0]}`);
    }
    return tookMs;
  }));
}

/** The highest number of calls of one operation for one of the sandboxes. */
function mostCalls({ calls }: FakeApi, ids: readonly string[]): number {
  const known = new Set(ids);
  const counts = new Map<string, number>();
  for (const { operation, params: [id = ""] } of calls) {
    // Activity reports of an earlier round's sandboxes may arrive late.
    if (!known.has(id)) continue;
    const call = `${operation} ${id}`;
    counts.set(call, (counts.get(call) ?? 0) + 1);
  }
  return Math.max(0, ...counts.values());
}

/** A burst: the sandboxes, and where to request them. */
interface Burst {
  readonly world: World;
  readonly port: number;
  readonly ids: readonly string[];
}

/** Sends requests for the sandboxes in turn. */
async function burstOnSandboxes(
  { world: { stack: { api } }, port, ids }: Burst,
): Promise<Reading> {
  const requests = Array.from({ length: REQUESTS }, (_, index) => ({
    host: HOSTS.public.replace("demo", () => ids[index % ids.length] ?? ""),
    target: "/",
  }));
  api.calls.length = 0;
  const times = await burst(port, requests);
  return { ...latencies(times), [CALLS]: mostCalls(api, ids) };
}

/** Sends the API one request for each sandbox, without a gateway, to see how long it takes under such a burst. */
async function burstOnApi({ world: { stack }, ids }: Burst): Promise<Reading> {
  const { environment: { PROXY_API_KEY }, api } = stack;
  const { port, host, pathname } = new URL(api.url);
  const requests = ids.map((id) => ({
    host,
    target: `${pathname}/preview/${id}/public`,
    headers: { authorization: `Bearer ${PROXY_API_KEY}` },
  }));
  return latencies(await burst(Number(port), requests));
}

function latencies(times: readonly number[]): Reading {
  return { [P99]: quantile(times, 0.99), "median ms": quantile(times, 0.5) };
}

/** Adds sandboxes that are in no cache yet. */
function unknownSandboxes({ stack }: World, name: string, count: number) {
  const ids = Array.from({ length: count }, (_, key) => `${name}-${key}`);
  addSandboxes(stack, ids);
  return ids;
}

/** Bursts on sandboxes that are in no cache, one after the other. */
async function burstAgain(
  { port }: Server,
  seconds: number,
  { world, keys }: { readonly world: World; readonly keys: number },
): Promise<Work> {
  const until = performance.now() + seconds * 1000;
  let bursts = 0;
  for (; performance.now() < until; bursts++) {
    const ids = unknownSandboxes(world, crypto.randomUUID(), keys);
    await burstOnSandboxes({ world, port, ids });
  }
  return { count: bursts * REQUESTS, reading: {} };
}

/** Runs with an API that takes its time. */
async function withSlowApi<T>(
  { stack: { api } }: World,
  run: () => Promise<T>,
): Promise<T> {
  api.beforeAnswer = () => delay(API_MS);
  try {
    return await run();
  } finally {
    api.beforeAnswer = undefined;
  }
}

const API = "API alone";

async function measure(
  world: World,
  name: string,
  keys: number,
): Promise<Row[]> {
  const drive: Drive = (target, seconds) =>
    driveGets(target, seconds, { headers: { Host: HOSTS.public } });
  const contestants = [];
  for (const contestant of present(world, [GATEWAY, FETCH_PROXY, NGINX])) {
    const { port } = await world.warm(contestant, drive);
    // The code that calls the API should be warm, but its answers should not be cached.
    const ids = unknownSandboxes(world, `${name}-warm`, REQUESTS);
    await burstOnSandboxes({ world, port, ids });
    contestants.push({ name: contestant.name, port, burst: burstOnSandboxes });
  }
  contestants.push({ name: API, port: 0, burst: burstOnApi });
  let round = 0;
  return await interleave(contestants, ROUNDS, ({ port, burst }) => {
    const ids = unknownSandboxes(world, `${name}-${round++}`, keys);
    return burst({ world, port, ids });
  });
}

async function outcomeOf(
  world: World,
  name: string,
  keys: number,
): Promise<Outcome> {
  const rows = await measure(world, name, keys);
  const of = GATEWAY.name;
  const [theirs] = figureOf("", rows, [API, P99]);
  const excess = rows.map(({ contestant, rounds }) => ({
    contestant,
    rounds: rounds.map((reading) => ({
      [P99]: (reading[P99] ?? NaN) - 2 * (theirs?.value.median ?? NaN),
    })),
  }));
  return {
    quantity: P99,
    rows,
    figures: [
      ...figureOf("API calls", rows, [of, CALLS]),
      ...figureOf("p99 beyond twice the API's", excess, [of, P99]),
    ],
    notes: [
      `The API takes ${API_MS} ms for every answer. The proxies beside the gateway ask it nothing.`,
    ],
  };
}

function scenario(name: string, about: string, keys: number): Scenario {
  return {
    name,
    about,
    measure: (world) => withSlowApi(world, () => outcomeOf(world, name, keys)),
    drive: (server, seconds, world) =>
      withSlowApi(world, () => burstAgain(server, seconds, { world, keys })),
  };
}

/** Scenarios with cold caches. */
export const BURSTS: readonly Scenario[] = [
  scenario("burst-one", "1,000 requests at once for one unknown sandbox", 1),
  scenario(
    "burst-many",
    "1,000 requests at once for 1,000 unknown sandboxes",
    REQUESTS,
  ),
];
