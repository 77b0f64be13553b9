/** Server-sent events: how much a proxy delays them. */
import { quantile } from "../../../support/quantile.ts";
import {
  DIRECT,
  FETCH_PROXY,
  GATEWAY,
  HOSTS,
  present,
} from "../contestants.ts";
import { interleave, type Scenario } from "../scenario.ts";
import type { Server } from "../server.ts";
import { connect, headOf, send } from "./raw_http.ts";

const ROUNDS = 3;
const ROUND_SEC = 2;

/** The sender's clock and ours may be some microseconds apart, which cancels out in the difference of two rows. */
const LATENCY = "median ms";

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
    const ready: { name: string; target: Server }[] = [];
    for (const contestant of present(world, [GATEWAY, FETCH_PROXY, DIRECT])) {
      const target = await world.warm(contestant, listen);
      ready.push({ name: contestant.name, target });
    }
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
