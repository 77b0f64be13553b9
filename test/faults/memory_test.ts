/** Faults do not leak memory: hundreds of them take no more than the first ones did. */
import assert from "node:assert/strict";
import { DEMO } from "../support/gateway.ts";
import { keptMemory } from "../support/kept_memory.ts";
import { type Behaviour, GOOD } from "./faulty_runner.ts";
import { closing, startWorld, type World } from "./world.ts";

/** The number of times that each fault occurs between two measurements. */
const ROUNDS = 100;

/** Less than a leak of every request would take. */
const MAX_GROWTH_BYTES = ROUNDS * 500;

/**
 * How many measurements in a row must show no growth: a leak would show in each, and memory given back could hide it in
 * one at most.
 */
const STEADY = 3;

/**
 * Compiled code and caches that fill up are not leaks: they stop growing in time, which is longer on a busy machine.
 */
const MAX_MEASUREMENTS = 30;

/** Heap and external memory after a garbage collection, bytes. */
function memory(): number {
  const { heapUsed, external } = keptMemory();
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
    using client = await world.gateway.open(
      `GET / HTTP/1.1\r\nHost: ${DEMO}\r\n\r\n`,
    );
    await client.readUntil("half");
  },
};

async function assertSteady(
  fault: (world: World) => Promise<void>,
  settings: Readonly<Record<string, string>> = {},
): Promise<void> {
  // The caches are bounded, and full after the first rounds.
  await using world = await startWorld({
    CACHE_MAX_ENTRIES: "10",
    ...settings,
  });
  const growth: number[] = [];
  const isSteady = () =>
    growth.length >= STEADY &&
    growth.slice(-STEADY).every((bytes) => bytes < MAX_GROWTH_BYTES);
  let before = memory();
  while (!isSteady()) {
    assert(growth.length < MAX_MEASUREMENTS, `still grows: ${growth}`);
    for (let round = 0; round < ROUNDS; round++) await fault(world);
    await world.sockets(); // nothing is in flight, and nothing closes any more
    const now = memory();
    growth.push(now - before);
    before = now;
  }
}

for (const [name, fault] of Object.entries(FAULTS)) {
  Deno.test(`memory is not lost to ${name}`, () => assertSteady(fault));
}

Deno.test("memory is not lost to labels that are not told", async () => {
  // What is kept of failures fills up after 2,000 sandboxes only.
  await assertSteady(async (world) => {
    const host = world.newHost();
    world.api.fault = (call, answer) =>
      call.operation === "getSandbox"
        ? new Response("{}", { status: 429 })
        : closing(call, answer);
    assert.equal((await world.ask(host)).code, "api_throttled");
    world.api.fault = closing;
    world.api.calls.length = 0;
  }, { INSPECT_FAILURES: "false" });
});
