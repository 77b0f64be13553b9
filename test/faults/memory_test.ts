/** Nothing of a fault is kept: hundreds of them take no more memory than the first ones did. */
import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Behaviour, GOOD } from "./faulty_runner.ts";
import { closing, startWorld, type World } from "./world.ts";

setFlagsFromString("--expose-gc");
const collectGarbage: unknown = runInNewContext("gc");

/** How often each fault is met in a row, and how often that is measured. */
const ROUNDS = 100;
const MEASUREMENTS = 5;

/** The first ones are a warm-up: compiled code, and caches that fill up. */
const WARM_UP = 2;

/** Less than what one request would leave, were anything of it kept; what grows only now and then is no leak. */
const MAX_GROWTH_BYTES = ROUNDS * 500;

/** Bytes of the heap and beside it, when all is collected that can be. */
function memory(): number {
  assert(typeof collectGarbage === "function");
  collectGarbage();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

function runnerThat(then: Behaviour["then"], says = "") {
  return async (world: World) => {
    world.runner.behaviour = { says, then };
    await world.ask();
    world.runner.behaviour = GOOD;
    await world.ask();
  };
}

const PART = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";

const FAULTS: Readonly<Record<string, (world: World) => Promise<void>>> = {
  "a runner that closes": runnerThat("closes"),
  "a runner that resets": runnerThat("resets"),
  "a runner that closes in its body": runnerThat("closes", PART),
  "a runner that sends garbage": runnerThat("goes on", "\0\r\n\r\n"),
  async "an API that is throttled"(world) {
    const host = world.newHost();
    world.api.fault = () => new Response("{}", { status: 429 });
    await world.ask(host);
    world.api.fault = closing;
    world.api.calls.length = 0;
    await world.ask(host);
  },
  async "a client that leaves"(world) {
    world.runner.behaviour = { says: PART, then: "hangs" };
    using client = await world.connect();
    await client.write(
      "GET / HTTP/1.1\r\nHost: 3000-demo.proxy.localhost\r\n\r\n",
    );
    await client.readUntil("half");
  },
};

for (const [name, fault] of Object.entries(FAULTS)) {
  Deno.test(`memory is not lost to ${name}`, async () => {
    // The caches are bounded, and full after the first rounds.
    await using world = await startWorld({ CACHE_MAX_ENTRIES: "10" });
    const used: number[] = [];
    while (used.length < MEASUREMENTS) {
      for (let round = 0; round < ROUNDS; round++) await fault(world);
      await world.backAt(await world.sockets());
      used.push(memory());
    }
    const growth = used.map((bytes, i) => bytes - (used[i - 1] ?? 0));
    assert(
      Math.min(...growth.slice(WARM_UP)) < MAX_GROWTH_BYTES,
      `${growth}`,
    );
  });
}
