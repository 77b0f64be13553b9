import assert from "node:assert/strict";
import { Background } from "../../../src/lib/background.ts";
import type { Logger } from "../../../src/observability/log.ts";
import type { ActivityEvent } from "../../../src/observability/metrics/facts.ts";
import {
  Activity,
  type ActivityOptions,
  REPORT_INTERVAL_MS,
} from "../../../src/proxy/activity.ts";
import { fakeStore } from "../cache/fakes.ts";

interface World {
  readonly activity: Activity;
  readonly reported: string[];
  readonly events: ActivityEvent[];
  /** The sandboxes and reasons of the failures passed on. */
  readonly failures: string[];
  nowMs: number;
  settled(): Promise<void>;
}

function startWorld(options: Partial<ActivityOptions> = {}): World {
  const background = new Background(() => {});
  const reported: string[] = [];
  const events: ActivityEvent[] = [];
  const failures: string[] = [];
  const world: World = {
    reported,
    events,
    failures,
    nowMs: 1_000_000,
    settled: () => background.settled(),
    activity: new Activity({
      report: (id) => {
        reported.push(id);
        return Promise.resolve();
      },
      maxSandboxes: 100,
      now: () => world.nowMs,
      metrics: { activity: (event) => events.push(event) },
      logger: {
        warn: (_: unknown, { sandboxId, reason }: Record<string, unknown>) =>
          failures.push(`${sandboxId}: ${reason}`),
      } as unknown as Logger,
      closing: new AbortController().signal,
      background,
      sharedStore: null,
      ...options,
    }),
  };
  return world;
}

Deno.test("a sandbox is reported once an interval, however often it is used", async () => {
  const world = startWorld();
  for (let i = 0; i < 100; i++) world.activity.touch("a");
  world.activity.begin("a")();
  world.activity.touch("b");
  await world.settled();
  assert.deepEqual(world.reported, ["a", "b"]);

  world.nowMs += REPORT_INTERVAL_MS - 1;
  world.activity.touch("a");
  await world.settled();
  assert.equal(world.reported.length, 2);
  world.nowMs += 1;
  world.activity.touch("a");
  await world.settled();
  assert.deepEqual(world.reported, ["a", "b", "a"]);
});

Deno.test("what lasts is reported again and again, until the last of it is over", async () => {
  const world = startWorld();
  const ends = [world.activity.begin("a"), world.activity.begin("a")];
  async function pass(): Promise<number> {
    world.nowMs += REPORT_INTERVAL_MS;
    world.activity.tick();
    await world.settled();
    return world.reported.length;
  }
  assert.equal(await pass(), 2);
  ends[0]?.();
  ends[0]?.();
  assert.equal(await pass(), 3);
  ends[1]?.();
  assert.equal(await pass(), 3);
});

Deno.test("a report that failed is tried again by a later exchange, not by the next one", async () => {
  let fails = true;
  const tried: string[] = [];
  const world = startWorld({
    report(id) {
      tried.push(id);
      return fails ? Promise.reject(new Error("down")) : Promise.resolve();
    },
  });
  world.activity.touch("a");
  await world.settled();
  world.activity.touch("a");
  await world.settled();
  assert.equal(tried.length, 1);
  fails = false;
  world.nowMs += 10_000;
  world.activity.touch("a");
  await world.settled();
  assert.equal(tried.length, 2);
  assert.deepEqual(world.events, ["failed", "reported"]);
});

Deno.test("of reports that fail, one a minute is passed on, with its reason, however many others succeed", async () => {
  const world = startWorld({
    report: (id) =>
      id.startsWith("bad") ? Promise.reject("refused") : Promise.resolve(),
  });
  for (let round = 0; round < 3; round++) {
    for (const id of ["bad1", "good", "bad2"]) world.activity.touch(id);
    await world.settled();
    world.nowMs += REPORT_INTERVAL_MS;
  }
  assert.deepEqual(world.failures, ["bad1: refused", "bad1: refused"]);
  assert.equal(world.events.filter((event) => event === "failed").length, 6);
});

Deno.test("only so many reports are under way at once, and the others wait for them", async () => {
  const held: (() => void)[] = [];
  const world = startWorld({
    report: () => new Promise((resolve) => held.push(resolve)),
  });
  for (let i = 0; i < 50; i++) world.activity.touch(`s${i}`);
  await Promise.resolve();
  assert.equal(held.length, 16);
  while (world.events.length < 50) {
    held.splice(0).forEach((release) => release());
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await world.settled();
  assert.equal(world.events.filter((event) => event === "reported").length, 50);
});

/** Two gateways that share a store, each with a clock of its own. */
function twoGateways() {
  const { store, entries, calls } = fakeStore({ shared: true });
  const ours = startWorld({ sharedStore: store });
  const theirs = startWorld({ sharedStore: store });
  return { entries, calls, ours, theirs };
}

/** Uses a sandbox at a gateway; resolves with the number of its reports so far, once it has none to send. */
async function use(world: World, sandboxId = "box"): Promise<number> {
  world.activity.touch(sandboxId);
  await world.settled();
  return world.reported.length;
}

Deno.test("the first gateway to claim a sandbox reports it, and the others not before that claim ends", async () => {
  const { ours, theirs } = twoGateways();
  assert.equal(await use(ours), 1);
  assert.equal(await use(theirs), 0);
  theirs.nowMs += REPORT_INTERVAL_MS - 1;
  assert.equal(await use(theirs), 0);
  theirs.nowMs += 1;
  assert.equal(await use(theirs), 1);
  assert.equal(await use(ours), 1);
});

Deno.test("an answer that lasts is reported once another gateway's claim ends", async () => {
  const { ours, theirs } = twoGateways();
  ours.nowMs -= REPORT_INTERVAL_MS - 1000; // its claim ends a second from now
  await use(ours);
  const end = theirs.activity.begin("box");
  for (const [elapsedMs, reports] of [[999, 0], [1, 1]] as const) {
    theirs.nowMs += elapsedMs;
    theirs.activity.tick();
    await theirs.settled();
    assert.equal(theirs.reported.length, reports);
  }
  end();
});

Deno.test("a claim on one sandbox does not affect another", async () => {
  const { ours, theirs } = twoGateways();
  await use(ours);
  assert.equal(await use(theirs, "other"), 1);
});

Deno.test("a gateway's own claim does not delay it", async () => {
  const { store } = fakeStore({ shared: true });
  // It remembers one sandbox, so that it forgets when it reported the other.
  const ours = startWorld({ sharedStore: store, maxSandboxes: 1 });
  const theirs = startWorld({ sharedStore: store });
  await use(ours);
  await use(ours, "other");
  ours.nowMs += 1000;
  assert.equal(await use(ours), 3);
  // That was a claim too, from then on.
  theirs.nowMs += REPORT_INTERVAL_MS;
  assert.equal(await use(theirs), 0);
});

Deno.test("a claim from a clock that is hours ahead is ignored", async () => {
  const { ours, theirs } = twoGateways();
  ours.nowMs += 3_600_000;
  await use(ours);
  assert.equal(await use(theirs), 1);
});

Deno.test("another gateway's clock that is ahead postpones a report by no more than an interval", async () => {
  const { calls, ours, theirs } = twoGateways();
  ours.nowMs += REPORT_INTERVAL_MS; // its claim ends two intervals from now
  await use(ours);
  calls.length = 0;
  for (const [elapsedMs, claims] of [[0, 1], [44_999, 1], [1, 2]] as const) {
    theirs.nowMs += elapsedMs;
    for (let time = 0; time < 3; time++) await use(theirs);
    assert.equal(calls.length, claims);
  }
});

Deno.test("a store keeps a claim as long as it is held", async () => {
  const { entries, ours } = twoGateways();
  await use(ours);
  const entry = entries.get("sandbox-last-activity-update/box");
  const until = ours.nowMs + REPORT_INTERVAL_MS;
  const { refreshAt, expiresAt, staleUntil } = entry ?? {};
  assert.deepEqual([refreshAt, expiresAt, staleUntil], [until, until, until]);
});
