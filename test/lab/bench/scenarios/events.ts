/** Server-sent events, and bodies that drip: how much a proxy delays them. */
import { quantile } from "../../../support/quantile.ts";
import {
  DIRECT,
  FETCH_PROXY,
  GATEWAY,
  HOSTS,
  present,
} from "../contestants.ts";
import { figureOf, interleave, type Row, type Scenario } from "../scenario.ts";
import type { Server } from "../server.ts";
import type { World } from "../world.ts";
import { connect, headOf, send } from "./raw_http.ts";

const ROUNDS = 3;
const ROUND_SEC = 2;

/** The sender's clock and ours may be some microseconds apart, which cancels out in the difference of two rows. */
const LATENCY = "median ms";

/** The contestants, each after a first load. */
async function warmed(
  world: World,
  drive: Parameters<World["warm"]>[1],
): Promise<{ readonly name: string; readonly target: Server }[]> {
  const ready = [];
  for (const contestant of present(world, [GATEWAY, FETCH_PROXY, DIRECT])) {
    const target = await world.warm(contestant, drive);
    ready.push({ name: contestant.name, target });
  }
  return ready;
}

/** Reads one stream, and returns the delays of its events, in ms. */
async function listen({ port }: Server, seconds: number): Promise<number[]> {
  using conn = await connect(port);
  await send(conn, headOf({ host: HOSTS.public, target: "/events" }));
  const until = performance.now() + seconds * 1000;
  const buffer = new Uint8Array(4096);
  const decoder = new TextDecoder();
  const times: number[] = [];
  while (performance.now() < until) {
    const count = await conn.read(buffer);
    if (count === null) throw new Error("The event stream has ended");
    const arrivedAt = performance.timeOrigin + performance.now();
    const text = decoder.decode(buffer.subarray(0, count));
    for (const [, sentAt] of text.matchAll(/data: ([\d.]+)\n/g)) {
      times.push(arrivedAt - Number(sentAt));
    }
  }
  return times;
}

/** One stream at a time, with an event every 10 ms. */
export const EVENTS: Scenario = {
  name: "events",
  about: "time that a server-sent event is under way, one every 10 ms",
  async measure(world) {
    const ready = await warmed(world, listen);
    const rows = await interleave(ready, ROUNDS, async ({ target }) => {
      const times = await listen(target, ROUND_SEC);
      return {
        [LATENCY]: quantile(times, 0.5),
        "p99 ms": quantile(times, 0.99),
      };
    });
    return { quantity: LATENCY, rows, figures: [] };
  },
};

const DRIP_BYTES = 64 * 1024;
const DRIPS = 100;

/** The time until the first byte of a body that drips, ms. */
async function firstByte({ port }: Server): Promise<number> {
  using conn = await connect(port);
  const startedAt = performance.now();
  await send(
    conn,
    headOf({ host: HOSTS.public, target: `/drip/${DRIP_BYTES}` }),
  );
  const buffer = new Uint8Array(4096);
  const decoder = new TextDecoder();
  for (let text = ""; !/\r\n\r\n./s.test(text);) {
    const count = await conn.read(buffer);
    if (count === null) throw new Error("There is no body");
    text += decoder.decode(buffer.subarray(0, count));
  }
  return performance.now() - startedAt;
}

async function drips(target: Server): Promise<number[]> {
  const times: number[] = [];
  for (let at = 0; at < DRIPS; at++) times.push(await firstByte(target));
  return times;
}

/** How much later than from the app itself a contestant's come, round by round. */
function laterThanDirect(rows: readonly Row[]): Row[] {
  const direct = rows.find(({ contestant }) => contestant === DIRECT.name);
  return rows.map(({ contestant, rounds }) => ({
    contestant,
    rounds: rounds.map((reading, round) => ({
      [LATENCY]: (reading[LATENCY] ?? NaN) -
        (direct?.rounds[round]?.[LATENCY] ?? NaN),
    })),
  }));
}

/** One body at a time, of which the app sends 1 KiB at once, and the rest bit by bit. */
export const DRIP: Scenario = {
  name: "drip",
  about: "first byte of 64 KiB, of which 1 KiB is sent every 5 ms",
  async measure(world) {
    const ready = await warmed(world, drips);
    const rows = await interleave(ready, ROUNDS, async ({ target }) => ({
      [LATENCY]: quantile(await drips(target), 0.5),
    }));
    return {
      quantity: LATENCY,
      rows,
      figures: figureOf("later than direct", laterThanDirect(rows), [
        GATEWAY.name,
        LATENCY,
      ]),
    };
  },
};
