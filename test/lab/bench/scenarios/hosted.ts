/** In front of a Daytona that somebody else operates: a private sandbox's GETs, with TLS on the way to its proxy. */
import { startHostedStack } from "../../../../scripts/stand_in/hosted_stack.ts";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { HOSTS, script, standIn } from "../contestants.ts";
import {
  type Figure,
  ratioOf,
  type Row,
  type Scenario,
  valuesOf,
} from "../scenario.ts";
import { summarize } from "../stats.ts";
import { denoCommand, type Server, startServer } from "../server.ts";
import type { Contestant } from "../world.ts";
import { compare, RATE, type Requested } from "./rates.ts";

const ALONE = ", 1 connection";
const OF = "gateway, hosted";
const TO = "fetch proxy, TLS";
const DIRECT = "direct, TLS";

const HEADERS = {
  Host: HOSTS.private,
  "X-Daytona-Preview-Token": KEYS.lockedToken,
};

/** The rates of 64 connections, and the time that one alone takes. */
export const HOSTED: Scenario = {
  name: "hosted",
  about:
    "GET 1 KiB of a private sandbox at a hosted Daytona, by TLS, 64 connections and 1",
  async measure(world) {
    await using stack = await startHostedStack();
    await using hosted = await upstream("hosted");
    await using local = await upstream("localhost");
    stack.api.state.config.proxyTemplateUrl =
      `https://{{PORT}}-{{sandboxId}}.hosted.localhost:${hosted.port}`;
    const contestants = [
      standIn(OF, stack.environment),
      script(TO, "hosted_fetch_proxy.ts", `https://localhost:${local.port}`),
      {
        name: DIRECT,
        warmUpSec: 1,
        start: () =>
          Promise.resolve({ ...local, [Symbol.asyncDispose]: async () => {} }),
      },
    ] satisfies Contestant[];
    try {
      const rows = await compare(world, contestants.flatMap(requested));
      const times = [
        ...added("added by the gateway", rows, OF),
        ...added("added by the fetch proxy", rows, TO),
      ];
      const ratio = { of: OF, to: TO, quantity: RATE };
      return {
        quantity: RATE,
        rows,
        figures: [...ratioOf("rate : fetch proxy", rows, ratio), ...times],
        notes: times.map(({ name, value }) =>
          `${name}: ${value.median.toFixed(2)} ms, to one request at a time`
        ),
      };
    } finally {
      await world.end(contestants);
    }
  },
};

/** A contestant under load, and with one request at a time. */
function requested(contestant: Contestant): Requested[] {
  const { name } = contestant;
  const scheme = name === DIRECT ? "https" : "http";
  const load = { headers: HEADERS, scheme } as const;
  return [
    { name, contestant, load },
    { name: name + ALONE, contestant, load: { ...load, connections: 1 } },
  ];
}

/** The time that a proxy adds to one request at a time, ms. */
function added(name: string, rows: readonly Row[], proxy: string): Figure[] {
  const [through = [], direct = []] = [proxy, DIRECT].map((contestant) => {
    const row = rows.find((row) => row.contestant === contestant + ALONE);
    return row === undefined
      ? []
      : valuesOf(row, RATE).map((rate) => 1000 / rate);
  });
  const values = through.map((ms, round) => ms - (direct[round] ?? NaN));
  return values.length === 0 ? [] : [{ name, value: summarize(values) }];
}

function upstream(names: "hosted" | "localhost"): Promise<Server> {
  return startServer({
    command: denoCommand(
      "-P=bench",
      "test/lab/bench/servers/hosted_upstream.ts",
      names,
    ),
  });
}
