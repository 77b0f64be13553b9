/** What a drill does to a part of the world, and who may notice. */
import { setTimeout as delay } from "node:timers/promises";
import type { DrillVisitors, Kind, Outcomes } from "./visitors.ts";
import { type DrillWorld, TROUBLED } from "./world.ts";

/** A trouble. */
export interface Scenario {
  readonly name: string;
  /** What happens, as the subject of a table's row. */
  readonly about: string;
  /** How long it lasts, s. */
  readonly seconds: number;
  /** Who uses what is in trouble: all others must not notice. */
  readonly hit: readonly Kind[];
  /** Begins it; resolves to what ends it. */
  begin(world: DrillWorld, visitors: DrillVisitors): Promise<End>;
}

/** Ends a trouble; resolves to the outcomes of visitors of its own, if it has some. */
type End = () => void | Outcomes | Promise<void | Outcomes>;

function nothing(): void {}

/** Longer than the gateway waits for the API, ms. */
const SLOW_MS = 5_000;

/** As long as anybody waits for an app that hangs, ms. */
const HANG_MS = 20_000;

/** Time for streams of the troubled runner to begin, ms. */
const BEGIN_MS = 1_000;

/** All scenarios; an API that is away is so for `outageSec` seconds. */
export function scenarios(outageSec: number): readonly Scenario[] {
  return [
    {
      name: "nothing",
      about: "nothing: the control",
      seconds: 10,
      hit: [],
      begin: () => Promise.resolve(nothing),
    },
    {
      name: "runner-hung",
      about:
        `a runner with ${TROUBLED} sandboxes hangs (SIGSTOP): it accepts connections and answers nobody`,
      seconds: 40,
      hit: ["troubled"],
      begin({ troubled: { pid } }) {
        Deno.kill(pid, "SIGSTOP");
        return Promise.resolve(() => Deno.kill(pid, "SIGCONT"));
      },
    },
    {
      name: "runner-slow",
      about: "a runner answers everybody after 3 s",
      seconds: 20,
      hit: ["troubled"],
      async begin({ troubled: { port } }) {
        await slowDown(port, 3_000);
        return () => slowDown(port, 0);
      },
    },
    {
      name: "runner-crashed",
      about: "a runner is killed amid its responses, and is back 10 s later",
      seconds: 10,
      hit: ["troubled"],
      async begin(world) {
        await slowDown(world.troubled.port, BEGIN_MS);
        await delay(BEGIN_MS / 2);
        await world.troubled.end("SIGKILL");
        return () => world.replaceTroubled();
      },
    },
    {
      name: "runner-moved",
      about: "a runner is killed, and the API has its sandboxes elsewhere",
      seconds: 10,
      hit: ["troubled"],
      async begin(world) {
        world.moveAway();
        await world.troubled.end("SIGKILL");
        return () => world.replaceTroubled();
      },
    },
    {
      name: "app-hung",
      about: "one app answers none of its 1,000 visitors",
      seconds: 20,
      hit: [],
      begin(world, visitors) {
        world.add("hanging");
        return Promise.resolve(visitors.hang(1_000, HANG_MS));
      },
    },
    {
      name: "api-slow",
      about: "the API answers after 5 s",
      seconds: 30,
      hit: ["cold", "troubled"],
      begin({ stack: { api } }) {
        api.fault = async (_, answer) => {
          await delay(SLOW_MS);
          return await answer();
        };
        return Promise.resolve(() => void (api.fault = undefined));
      },
    },
    {
      name: "api-endless",
      about: "the API answers 200 without an end",
      seconds: 20,
      hit: ["cold"],
      begin({ stack: { api } }) {
        api.fault = () => endless();
        return Promise.resolve(() => void (api.fault = undefined));
      },
    },
    {
      name: "api-nonsense",
      about: "the API answers 200 with a page of HTML",
      seconds: 20,
      hit: ["cold"],
      begin({ stack: { api } }) {
        const headers = { "content-type": "text/html" };
        api.fault = () => new Response("<h1>Welcome</h1>", { headers });
        return Promise.resolve(() => void (api.fault = undefined));
      },
    },
    {
      name: "api-away",
      about: `the API refuses connections for ${outageSec} s`,
      seconds: outageSec,
      hit: ["cold"],
      async begin({ stack: { api } }) {
        await api.stop();
        return () => api.restart();
      },
    },
    {
      name: "redis-hung",
      about: "Redis hangs (SIGSTOP)",
      seconds: 20,
      hit: [],
      begin({ redis }) {
        redis.suspend();
        return Promise.resolve(() => redis.resume());
      },
    },
  ];
}

async function slowDown(port: number, ms: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/delay/${ms}`);
  await response.body?.cancel();
}

const NOISE = new Uint8Array(64 * 1024).fill(0x20);

function endless(): Response {
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) => controller.enqueue(NOISE),
  });
  return new Response(body, {
    headers: { "content-type": "application/json" },
  });
}
