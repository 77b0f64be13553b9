import assert from "node:assert/strict";
import { ReadinessChecks } from "../../../src/control/readiness.ts";
import { KeyWatch } from "../../../src/daytona/service_key.ts";
import {
  keepDescriptors,
  ranOutOfDescriptors,
} from "../../../src/lib/descriptors.ts";
import { recordedLog } from "../../support/event_log.ts";
import { fakeClock } from "../../support/fake_clock.ts";

const REMOTE_CONFIG = {
  oidc: null,
  ssoOidc: null,
  proxyTemplateUrl: null,
  proxyToolboxUrl: null,
  dashboardUrl: null,
};

/** The checks of a gateway whose dependencies the test changes, on a clock of its own. */
function setUp(given: { config?: () => Promise<typeof REMOTE_CONFIG> } = {}) {
  const clock = fakeClock();
  const { log, events, next } = recordedLog();
  const state = {
    isApiUp: true,
    isProviderUp: true,
    isCacheUp: true,
    /** Whether a write succeeds: false of a database that is full, or a replica. */
    takesWrites: () => true,
    /** What the records' store says; undefined if it does not answer. */
    doubts: [] as string[] | undefined,
    /** The API's verdict on the key; undefined if it gives none. */
    key: "accepted" as "accepted" | "unknown" | undefined,
    domains: ["preview.test"],
    keyTries: 0,
  };
  const serviceKey = new KeyWatch(Date.now, () => {});
  const closing = new AbortController();
  function answer(isUp: boolean): Promise<void> {
    return isUp ? Promise.resolve() : Promise.reject(new Error("away"));
  }
  const readiness = new ReadinessChecks({
    api: {
      async config() {
        await answer(state.isApiUp);
        return REMOTE_CONFIG;
      },
      probeKey() {
        state.keyTries++;
        if (state.key !== undefined) serviceKey.record(state.key);
        return answer(state.key === "accepted");
      },
      ...given,
    },
    serviceKey,
    remoteSettings: {
      get baseDomains() {
        return state.domains;
      },
    },
    provider: { state: "on", check: () => answer(state.isProviderUp) },
    store: {
      get: () => Promise.resolve(state.isCacheUp ? "absent" : "unavailable"),
      claim: () =>
        Promise.resolve(state.takesWrites() ? "claimed" : "unavailable"),
    },
    records: {
      async doubts() {
        await answer(state.doubts !== undefined);
        return state.doubts ?? [];
      },
    },
    closing: closing.signal,
    logger: log,
  });
  return {
    clock,
    state,
    serviceKey,
    readiness,
    closing,
    events,
    next,
    /** Checks twice, since all questions but the first are asked in the background. */
    async later(ms: number) {
      clock.pass(ms);
      await readiness.check();
      return await readiness.check();
    },
    [Symbol.dispose]: () => clock[Symbol.dispose](),
  };
}

Deno.test("a gateway whose key the API refuses is starting at first, and degraded once the key had been accepted", async () => {
  using world = setUp();
  const { state, readiness, later } = world;
  state.key = "unknown";
  const { status, checks } = await readiness.check();
  assert.equal(status, "starting");
  assert.equal(checks.key, "failing");
  assert.equal(checks.api, "ok");
  state.key = "accepted";
  assert.equal((await later(24_000)).status, "starting");
  assert.equal((await later(5_000)).status, "ready");
  state.key = "unknown";
  const refused = await later(35_000);
  assert.equal(refused.status, "degraded");
  assert.equal(refused.checks.key, "failing");
});

Deno.test("a gateway without file descriptors is overloaded until it has some again, but starting or draining first", async () => {
  using world = setUp();
  const { state, readiness, later } = world;
  let left = 100;
  using _ = keepDescriptors(() => {
    if (left === 0) throw new Error("Too many open files");
    return { close() {} };
  }, () => {});
  state.domains = [];
  left = 0;
  ranOutOfDescriptors("Too many open files");
  assert.equal((await readiness.check()).status, "starting");
  state.domains = ["preview.test"];
  assert.equal((await later(500)).status, "overloaded");
  left = 100;
  assert.equal((await later(1000)).status, "ready");
  left = 0;
  ranOutOfDescriptors("Too many open files");
  readiness.startDraining();
  assert.equal((await later(500)).status, "draining");
});

Deno.test("the key is tried only if no other call has used it for 25 s, and again after 5 s if the API did not answer", async () => {
  using world = setUp();
  const { state, serviceKey, readiness, later } = world;
  state.key = undefined;
  await readiness.check();
  assert.equal(state.keyTries, 1);
  await later(5_000);
  assert.equal(state.keyTries, 2);
  serviceKey.record("accepted");
  assert.equal((await readiness.check()).checks.key, "ok");
  await later(24_000);
  assert.equal(state.keyTries, 2);
  // The API does not answer about the key: what it said last still stands, for 30 s.
  assert.equal((await later(5_000)).checks.key, "ok");
  assert.equal(state.keyTries, 3);
  assert.equal((await later(1_000)).checks.key, "failing");
  serviceKey.record("accepted");
  assert.equal((await readiness.check()).checks.key, "ok");
  // A visitor's call is refused: known at once.
  serviceKey.record("unknown");
  assert.equal((await readiness.check()).checks.key, "failing");
});

Deno.test("A5: what was asked more than 30 s ago is asked again before it is told", async () => {
  using world = setUp();
  const { state, readiness, clock } = world;
  assert.equal((await readiness.check()).status, "ready");
  clock.pass(14 * 60_000);
  state.isApiUp = false;
  state.isProviderUp = false;
  state.key = "unknown";
  const { checks } = await readiness.check();
  assert.deepEqual([checks.api, checks.key, checks.login], [
    "failing",
    "failing",
    "failing",
  ]);
  clock.pass(14 * 60_000);
  Object.assign(state, { isApiUp: true, isProviderUp: true, key: "accepted" });
  assert.equal((await readiness.check()).status, "ready");
});

Deno.test("what was asked less than 30 s ago is told at once, and asked again meanwhile", async () => {
  let asked = 0;
  using world = setUp({
    config: () =>
      ++asked === 1 ? Promise.resolve(REMOTE_CONFIG) : new Promise(() => {}),
  });
  await world.readiness.check();
  world.clock.pass(29_000);
  assert.equal((await world.readiness.check()).checks.api, "ok");
  assert.equal(asked, 2);
});

Deno.test("a dependency that does not answer for 2 s is failing, and is not asked twice at once", async () => {
  let asked = 0;
  using world = setUp({
    config: () =>
      ++asked === 1 ? Promise.resolve(REMOTE_CONFIG) : new Promise(() => {}),
  });
  await world.readiness.check();
  for (let times = 0; times < 2; times++) {
    world.clock.pass(40_000);
    const checked = world.readiness.check();
    let isTold = false;
    checked.then(() => isTold = true);
    world.clock.pass(1_999);
    await Promise.resolve();
    assert(!isTold);
    world.clock.pass(1);
    assert.equal((await checked).checks.api, "failing");
  }
  assert.equal(asked, 2);
  assert.deepEqual(await world.next("not ready: api"), {
    reason: "no answer within 2 s",
  });
});

Deno.test("the log says once that a check begins to fail, with the reason, and once that it passes again", async () => {
  using world = setUp();
  const { state, readiness, later, events, next } = world;
  await readiness.check();
  assert.deepEqual(events(), []);
  state.isProviderUp = false;
  state.isCacheUp = false;
  await later(30_000);
  await later(30_000);
  state.isProviderUp = true;
  state.isCacheUp = true;
  await later(30_000);
  await later(30_000);
  state.isApiUp = false;
  state.domains = [];
  await later(5_000);
  assert.deepEqual(events(), [
    "not ready: cache",
    "not ready: login",
    "ready again: cache",
    "ready again: login",
    "not ready: domains",
    "not ready: api",
  ]);
  for (
    const [check, reason] of [
      ["cache", "the database does not answer"],
      ["login", "away"],
      ["domains", "the API has not told them yet"],
      ["api", "away"],
    ]
  ) assert.deepEqual(await next(`not ready: ${check}`), { reason });
});

Deno.test("the check of the cache fails while its database can be read only", async () => {
  using world = setUp();
  const { state, next, later } = world;
  assert.equal((await later(0)).checks.cache, "ok");
  state.takesWrites = () => false;
  const told = next("not ready: cache");
  assert.equal((await later(5_000)).checks.cache, "failing");
  assert.match(String((await told).reason), /it takes no writes/);
  let writes = 0;
  state.takesWrites = () => ++writes % 3 > 0; // as a Cluster with a full node
  assert.equal((await later(5_000)).checks.cache, "failing");
  state.takesWrites = () => true;
  assert.equal((await later(5_000)).checks.cache, "ok");
});

Deno.test("checks that fail because the gateway closes are not logged", async () => {
  using world = setUp();
  world.state.isCacheUp = false;
  world.closing.abort();
  assert.equal((await world.readiness.check()).checks.cache, "failing");
  assert.deepEqual(world.events(), []);
});

Deno.test("everybody who asks before the first answer waits for it", async () => {
  const held = Promise.withResolvers<typeof REMOTE_CONFIG>();
  using world = setUp({ config: () => held.promise });
  const { readiness, events } = world;
  const both = Promise.all([readiness.check(), readiness.check()]);
  held.resolve(REMOTE_CONFIG);
  const statuses = (await both).map(({ status }) => status);
  assert.deepEqual(statuses, ["ready", "ready"]);
  assert.deepEqual(events(), []);
});

Deno.test("a gateway is starting until the API has answered, the domains are known and the key was accepted", async () => {
  for (const missing of ["api", "domains", "key"] as const) {
    using world = setUp();
    const { state, readiness, later } = world;
    if (missing === "api") state.isApiUp = false;
    if (missing === "domains") state.domains = [];
    if (missing === "key") state.key = "unknown";
    assert.equal((await readiness.check()).status, "starting", missing);
    Object.assign(state, {
      isApiUp: true,
      domains: ["preview.test"],
      key: "accepted",
    });
    assert.equal((await later(35_000)).status, "ready", missing);
    state.isApiUp = false;
    assert.equal((await later(5_000)).status, "degraded", missing);
    readiness.startDraining();
    assert.equal((await readiness.check()).status, "draining", missing);
  }
});

Deno.test("the log says why the API did not judge the key", async () => {
  using world = setUp();
  world.state.key = undefined;
  await world.readiness.check();
  assert.deepEqual(await world.next("not ready: key"), { reason: "away" });
});

Deno.test("the checks are repeated every 10 s until all of them pass", async () => {
  using world = setUp();
  world.state.isCacheUp = false;
  let isOver = false;
  const passed = world.readiness.checkUntilReady()
    .then(() => isOver = true);
  for (let times = 0; times < 3; times++) await world.later(10_000);
  assert(!isOver);
  world.state.isCacheUp = true;
  while (!isOver) await world.later(10_000);
  await passed;
});

Deno.test("the check of the records fails while their database is away, or may lose some", async () => {
  using world = setUp();
  const { state, readiness, next } = world;
  state.doubts = ["Redis may evict them", "Redis keeps nothing"];
  const { status, checks } = await readiness.check();
  assert.deepEqual([status, checks.records], ["degraded", "failing"]);
  assert.deepEqual(await next("not ready: records"), {
    reason: "Redis may evict them; Redis keeps nothing",
  });
  state.doubts = [];
  assert.equal((await readiness.check()).status, "ready");
  state.doubts = undefined;
  assert.equal((await readiness.check()).checks.records, "failing");
});
