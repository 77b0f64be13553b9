import assert, {
  deepStrictEqual as deepEqual,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { Cache } from "../../../src/cache/cache.ts";
import type { Confirmation, Fill } from "../../../src/cache/fill.ts";
import { GatewayError } from "../../../src/errors.ts";
import { Background } from "../../../src/lib/background.ts";
import type { CacheEvent } from "../../../src/observability/metrics/facts.ts";
import {
  type FakeStore,
  fakeStore,
  type ManualClock,
  manualClock,
  settled,
} from "./fakes.ts";

const KEY = "sandbox-1";
const DELETED = { value: "", ttlMs: 0 };
const TTL = 120_000;
const STALE = 600_000;

const CODEC = {
  encode: (value: string) => value,
  decode: (json: unknown) => typeof json === "string" ? json : undefined,
};

function setUp({ durable, clock = manualClock(), maxEntries = 100 }: {
  durable?: FakeStore;
  clock?: ManualClock;
  maxEntries?: number;
} = {}) {
  const events: CacheEvent[] = [];
  const causes: unknown[] = [];
  const cache = new Cache<string>({
    kind: "test",
    maxEntries,
    durable: durable ? { store: durable.store, codec: CODEC } : null,
    now: () => clock.now(),
    onEvent(event, kind, cause) {
      equal(kind, "test");
      events.push(event);
      causes.push(cause);
    },
    background: new Background(() => {}),
  });
  return {
    cache,
    clock,
    /** The events since the last call. */
    events: () => events.splice(0),
    causes,
  };
}

/** A source that answers v1, v2, …, and can be paused or taken down. */
function source({ ttlMs = TTL, staleIfErrorMs = STALE } = {}) {
  const self = {
    asked: 0,
    down: false,
    gate: Promise.resolve(),
    ttlMs,
    fill: async (): Promise<Fill<string>> => {
      const value = `v${++self.asked}`;
      await self.gate;
      if (self.down) throw new Error("source down");
      return { value, ttlMs: self.ttlMs, staleIfErrorMs };
    },
  };
  return self;
}

/** Blocks whatever waits for the gate until the returned function is called. */
function hold(gated: { gate: Promise<void> }): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  gated.gate = promise;
  return async () => {
    gated.gate = Promise.resolve();
    resolve();
    await settled();
  };
}

Deno.test("get() fills once, then serves the in-process value for three quarters of the TTL", async () => {
  const { cache, clock, events } = setUp();
  const api = source();
  equal(cache.getFresh(KEY), undefined);
  equal(await cache.get(KEY, api.fill), "v1");
  clock.time += TTL * 3 / 4 - 1;
  equal(cache.getFresh(KEY), "v1");
  equal(await cache.get(KEY, api.fill), "v1");
  equal(api.asked, 1);
  deepEqual(events(), ["miss", "hit", "hit"]);
});

Deno.test("get() renews once, in the background, in the last quarter of the TTL", async () => {
  const { cache, clock, events } = setUp();
  const api = source();
  await cache.get(KEY, api.fill);
  clock.time += TTL * 3 / 4;
  const release = hold(api);
  equal(cache.getFresh(KEY), undefined); // get() would renew it
  equal(await cache.get(KEY, api.fill), "v1");
  equal(await cache.get(KEY, api.fill), "v1");
  equal(api.asked, 2);
  await release();
  equal(cache.getFresh(KEY), "v2");
  clock.time += TTL * 3 / 4 - 1;
  equal(cache.getFresh(KEY), "v2"); // its TTL counts from its own answer
  deepEqual(events(), ["miss", "hit", "hit", "hit", "hit"]);
});

Deno.test("get() past the TTL waits for the source, and joins a renewal in flight", async () => {
  const { cache, clock, events } = setUp();
  const api = source();
  await cache.get(KEY, api.fill);
  clock.time += TTL - 1;
  const release = hold(api);
  equal(await cache.get(KEY, api.fill), "v1");
  clock.time += 1;
  const late = cache.get(KEY, api.fill);
  await release();
  equal(await late, "v2");
  equal(api.asked, 2);
  clock.time += TTL;
  equal(await cache.get(KEY, api.fill), "v3");
  deepEqual(events(), ["miss", "hit", "miss", "miss"]);
});

Deno.test("the TTL of an answer begins when its source is asked", async () => {
  const { cache, clock } = setUp();
  const api = source();
  const release = hold(api);
  const slow = cache.get(KEY, api.fill);
  await settled(); // now it has been asked
  clock.time += TTL / 4;
  await release();
  equal(await slow, "v1");
  clock.time += TTL / 2 - 1;
  equal(cache.getFresh(KEY), "v1");
  clock.time += 1;
  equal(cache.getFresh(KEY), undefined);
});

Deno.test("a cold burst of 1000 get() calls makes one durable read and one fill", async () => {
  const durable = fakeStore({ shared: true });
  const { cache, events } = setUp({ durable });
  const api = source();
  const releaseStore = hold(durable);
  const releaseApi = hold(api);
  const burst = Array.from({ length: 500 }, () => cache.get(KEY, api.fill));
  await releaseStore();
  burst.push(
    ...Array.from({ length: 500 }, () => cache.get(KEY, api.fill)),
  );
  await releaseApi();
  deepEqual(new Set(await Promise.all(burst)), new Set(["v1"]));
  equal(api.asked, 1);
  deepEqual(durable.calls, ["get test/sandbox-1", "set test/sandbox-1"]);
  equal(events().length, 1000);
});

Deno.test("get() rejects for every waiting caller if there is no earlier value, and fills again on the next call", async () => {
  const { cache, events } = setUp();
  const api = source();
  api.down = true;
  const waiting = await Promise.allSettled([
    cache.get(KEY, api.fill),
    cache.get(KEY, api.fill),
  ]);
  deepEqual(waiting.map(({ status }) => status), ["rejected", "rejected"]);
  equal(api.asked, 1);
  api.down = false;
  equal(await cache.get(KEY, api.fill), "v2");
  deepEqual(events(), ["fill_failed", "miss"]);
});

Deno.test("get() rejects if the fill throws synchronously", async () => {
  const { cache } = setUp();
  await rejects(
    cache.get(KEY, () => {
      throw new RangeError("broken");
    }),
    RangeError,
  );
  equal(await cache.get(KEY, source().fill), "v1");
});

Deno.test("get() serves the earlier value during an outage until staleIfErrorMs is over", async () => {
  const { cache, clock, events } = setUp();
  const api = source();
  await cache.get(KEY, api.fill);
  api.down = true;
  clock.time += TTL;
  equal(await cache.get(KEY, api.fill), "v1");
  deepEqual(events(), ["miss", "fill_failed", "stale"]);
  const refused = () => {
    throw new Error("refused");
  };
  equal(await cache.get(KEY, api.fill, refused), "v1");
  deepEqual(events(), ["stale"]);
  clock.time += STALE - 1;
  equal(await cache.get(KEY, api.fill), "v1");
  clock.time += 1;
  await rejects(cache.get(KEY, api.fill), /source down/);
  api.down = false;
  equal(await cache.get(KEY, api.fill), "v5");
});

Deno.test("get() never serves a value past its TTL unless its fill allows that", async () => {
  const { cache, clock } = setUp();
  let isDown = false;
  const fill = () =>
    isDown
      ? Promise.reject(new Error("source down"))
      : Promise.resolve({ value: "no", ttlMs: TTL });
  await cache.get(KEY, fill);
  isDown = true;
  clock.time += TTL - 1;
  equal(await cache.get(KEY, fill), "no");
  await settled();
  clock.time += 1;
  await rejects(cache.get(KEY, fill), /source down/);
});

Deno.test("a value that its source refuses to tell again ends with its TTL, whatever fails afterwards, for everybody who shares it", async () => {
  const durable = fakeStore({ shared: true });
  const clock = manualClock();
  const [here, there] = [1, 2].map(() => setUp({ durable, clock }).cache);
  assert(here && there);
  const api = source();
  const untold = () =>
    Promise.reject(new GatewayError("sandbox_not_shown", "no"));
  await here.get(KEY, api.fill);
  await there.get(KEY, api.fill);
  clock.time += TTL - 1;
  equal(await here.get(KEY, untold), "v1");
  await settled();
  clock.time += 1;
  api.down = true;
  await rejects(here.get(KEY, api.fill), /source down/);
  await rejects(here.get(KEY, untold), { code: "sandbox_not_shown" });
  await rejects(there.get(KEY, api.fill), /source down/);
  await rejects(setUp({ durable, clock }).cache.get(KEY, api.fill));
});

Deno.test("a value past its TTL that its source refuses to tell is deleted where it is shared", async () => {
  const durable = fakeStore({ shared: true });
  const { cache, clock } = setUp({ durable });
  await cache.get(KEY, source().fill);
  clock.time += TTL;
  const untold = () =>
    Promise.reject(new GatewayError("sandbox_not_shown", "no"));
  await rejects(cache.get(KEY, untold), { code: "sandbox_not_shown" });
  await settled();
  equal(durable.entries.size, 0);
});

Deno.test("get() pauses longer after each failed renewal, and serves the value meanwhile", async () => {
  const { cache, clock } = setUp();
  const api = source();
  await cache.get(KEY, api.fill);
  api.down = true;
  clock.time += TTL * 3 / 4;
  const start = clock.time;
  const attempts: number[] = [];
  while (clock.time - start < 50_000) {
    const before = api.asked;
    equal(await cache.get(KEY, api.fill), "v1");
    await settled();
    if (api.asked > before) attempts.push((clock.time - start) / 1000);
    clock.time += 500;
  }
  deepEqual(attempts, [0, 1, 3, 7, 15, 25, 35, 45]);
  api.down = false;
  clock.time += 10_000;
  equal(await cache.get(KEY, api.fill), "v1"); // still in the background
  await settled();
  equal(cache.getFresh(KEY), "v10");
});

Deno.test("get() during an outage does not wait for a fill that hangs", async () => {
  const { cache, clock } = setUp();
  const api = source();
  await cache.get(KEY, api.fill);
  clock.time += TTL;
  api.down = true;
  equal(await cache.get(KEY, api.fill), "v1");
  clock.time += 1_000;
  const release = hold(api);
  equal(await cache.get(KEY, api.fill), "v1");
  clock.time += 30_000;
  equal(await cache.get(KEY, api.fill), "v1");
  equal(api.asked, 3);
  await release();
});

Deno.test("get() past the TTL waits for the source again a minute after the last failure", async () => {
  const { cache, clock } = setUp();
  const api = source();
  await cache.get(KEY, api.fill);
  clock.time += TTL;
  api.down = true;
  equal(await cache.get(KEY, api.fill), "v1");
  api.down = false;
  clock.time += 61_000;
  equal(await cache.get(KEY, api.fill), "v3");
});

Deno.test("get() does not cache a value without a TTL, and drops the earlier one", async () => {
  const durable = fakeStore();
  const { cache, clock } = setUp({ durable });
  const api = source();
  await cache.get(KEY, api.fill);
  api.ttlMs = 0;
  clock.time += TTL;
  equal(await cache.get(KEY, api.fill), "v2");
  await settled();
  equal(durable.entries.size, 0);
  api.down = true;
  await rejects(cache.get(KEY, api.fill), /source down/);
});

Deno.test("a cache keeps at most maxEntries and evicts the least recently used", async () => {
  const { cache } = setUp({ maxEntries: 2 });
  const api = source();
  await cache.get("a", api.fill);
  await cache.get("b", api.fill);
  cache.getFresh("a");
  await cache.get("c", api.fill);
  deepEqual(["a", "b", "c"].map((id) => cache.getFresh(id)), [
    "v1",
    undefined,
    "v3",
  ]);
});

Deno.test("set() replaces the value in both tiers, and a fill in flight does not undo that", async () => {
  const durable = fakeStore();
  const { cache } = setUp({ durable });
  const api = source();
  const release = hold(api);
  const waiting = cache.get(KEY, api.fill);
  await settled();
  await cache.set(KEY, { value: "set", ttlMs: TTL });
  equal(cache.getFresh(KEY), "set");
  await release();
  equal(await waiting, "v1");
  equal(cache.getFresh(KEY), "set");
  equal(durable.entries.get("test/sandbox-1")?.value, "set");
});

Deno.test("a fill that set() made obsolete does not mark the new value as failing", async () => {
  const { cache, clock, events } = setUp();
  const api = source();
  const release = hold(api);
  const waiting = cache.get(KEY, api.fill);
  await settled();
  await cache.set(KEY, { value: "set", ttlMs: 5_000 });
  api.down = true;
  await release();
  equal(await waiting, "set");
  api.down = false;
  clock.time += 30_000;
  events();
  equal(await cache.get(KEY, api.fill), "v2"); // past its time the source is waited for, as it is not down
  deepEqual(events(), ["miss"]);
});

Deno.test("set() without a TTL deletes the value in both tiers, and a fill in flight does not undo that", async () => {
  const durable = fakeStore();
  const { cache, clock } = setUp({ durable });
  const api = source();
  await cache.get(KEY, api.fill);
  clock.time += TTL - 1;
  const release = hold(api);
  await cache.get(KEY, api.fill); // renews in the background
  await cache.set(KEY, DELETED);
  equal(cache.getFresh(KEY), undefined);
  equal(durable.entries.size, 0);
  const next = cache.get(KEY, api.fill);
  await settled();
  equal(api.asked, 3); // anew, not joined
  await release();
  equal(await next, "v3");
  equal(cache.getFresh(KEY), "v3");
  equal(durable.entries.get("test/sandbox-1")?.value, "v3");
});

Deno.test("set() without a TTL leaves no stale value, even for callers that already wait", async () => {
  const { cache, clock } = setUp();
  const api = source();
  await cache.get(KEY, api.fill);
  clock.time += TTL;
  const release = hold(api);
  api.down = true;
  const waiting = rejects(cache.get(KEY, api.fill), /source down/);
  await cache.set(KEY, DELETED);
  await release();
  await waiting;
  await rejects(cache.get(KEY, api.fill), /source down/);
});

Deno.test("fill_failed has a cause only if an earlier value hides the failure from callers", async () => {
  const { cache, clock, events, causes } = setUp();
  const api = source();
  api.down = true;
  await rejects(cache.get(KEY, api.fill), /source down/);
  api.down = false;
  await cache.get(KEY, api.fill);
  api.down = true;
  clock.time += TTL - 1;
  await cache.get(KEY, api.fill); // fails in the background
  await settled();
  clock.time += 1_000;
  await cache.get(KEY, api.fill);
  await settled();
  deepEqual(events(), [
    ...["fill_failed", "miss"],
    ...["hit", "fill_failed"],
    ...["stale", "fill_failed"],
  ]);
  const down = new Error("source down");
  deepEqual(causes, [
    ...[undefined, undefined],
    ...[undefined, down],
    ...[undefined, down],
  ]);
});

Deno.test("a renewal that fails after its value expired causes no unhandled rejection", async () => {
  const { cache, clock, events } = setUp();
  const api = source({ staleIfErrorMs: 0 });
  await cache.get(KEY, api.fill);
  clock.time += TTL - 1;
  api.down = true;
  const release = hold(api);
  equal(await cache.get(KEY, api.fill), "v1");
  clock.time += 1;
  await release(); // an unhandled rejection would fail the test
  deepEqual(events(), ["miss", "hit", "fill_failed"]);
});

Deno.test("set() resolves when the durable tier has finished", async () => {
  const durable = fakeStore();
  const { cache } = setUp({ durable });
  for (
    const change of [
      () => cache.set(KEY, { value: "set", ttlMs: TTL }),
      () => cache.set(KEY, DELETED),
    ]
  ) {
    const release = hold(durable);
    let done = false;
    const changed = change().then(() => done = true);
    await settled();
    equal(done, false);
    await release();
    await changed;
  }
});

Deno.test("set() without a TTL discards a durable read in flight", async () => {
  const durable = fakeStore();
  const clock = manualClock();
  const api = source();
  await setUp({ durable, clock }).cache.get(KEY, api.fill);
  await settled();

  const { cache } = setUp({ durable, clock });
  const release = hold(durable);
  const waiting = cache.get(KEY, api.fill);
  const deleted = cache.set(KEY, DELETED);
  await release();
  await deleted;
  await waiting;
  equal(api.asked, 2);
});

Deno.test("get() does not wait for a write to the durable tier", async () => {
  const durable = fakeStore();
  const { cache } = setUp({ durable });
  const api = source();
  const releaseApi = hold(api);
  const waiting = cache.get(KEY, api.fill);
  await settled();
  const releaseStore = hold(durable);
  await releaseApi();
  equal(await waiting, "v1");
  equal(durable.entries.size, 0);
  await releaseStore();
  equal(durable.entries.size, 1);
});

Deno.test("get() finds a value of another process in the durable tier and keeps its times", async () => {
  const durable = fakeStore();
  const clock = manualClock();
  const api = source();
  await setUp({ durable, clock }).cache.get(KEY, api.fill);
  clock.time += TTL - 1;
  const { cache, events } = setUp({ durable, clock });
  equal(await cache.get(KEY, api.fill), "v1");
  deepEqual(events(), ["durable_hit"]);
  await settled();
  equal(api.asked, 2); // it was in its last quarter: renewed in the background
  equal(cache.getFresh(KEY), "v2");
});

Deno.test("get() after a restart during an outage serves the durable tier's stale value", async () => {
  const durable = fakeStore();
  const clock = manualClock();
  const api = source();
  await setUp({ durable, clock }).cache.get(KEY, api.fill);
  clock.time += TTL;
  api.down = true;
  const { cache, events } = setUp({ durable, clock });
  equal(await cache.get(KEY, api.fill), "v1");
  equal(await cache.get(KEY, api.fill), "v1");
  deepEqual(events(), ["fill_failed", "stale", "stale"]);
  clock.time += STALE;
  await rejects(cache.get(KEY, api.fill), /source down/);
});

Deno.test("get() reads a private durable tier once, and works without it if it is broken", async () => {
  const durable = fakeStore();
  const { cache, clock } = setUp({ durable });
  const api = source();
  durable.broken = true;
  equal(await cache.get(KEY, api.fill), "v1");
  clock.time += TTL;
  api.down = true;
  equal(await cache.get(KEY, api.fill), "v1");
  deepEqual(durable.calls, ["get test/sandbox-1", "set test/sandbox-1"]);
});

Deno.test("get() reads a shared durable tier again after 5 s", async () => {
  const durable = fakeStore({ shared: true });
  const { cache, clock, events } = setUp({ durable });
  const api = source();
  await cache.get(KEY, api.fill);
  clock.time += 4_999;
  equal(cache.getFresh(KEY), "v1");
  clock.time += 1;
  equal(cache.getFresh(KEY), undefined);
  equal(await cache.get(KEY, api.fill), "v1");
  equal(cache.getFresh(KEY), "v1");
  deepEqual(durable.calls.map((call) => call.slice(0, 3)), [
    "get",
    "set",
    "get",
  ]);
  equal(api.asked, 1);
  deepEqual(events(), ["miss", "hit", "durable_hit", "hit"]);
});

Deno.test("get() notices within 5 s that another process changed or deleted an entry", async () => {
  const durable = fakeStore({ shared: true });
  const clock = manualClock();
  const here = setUp({ durable, clock }).cache;
  const there = setUp({ durable, clock }).cache;
  const api = source();
  await here.get(KEY, api.fill);
  await there.set(KEY, { value: "theirs", ttlMs: TTL });
  clock.time += 5_000;
  equal(await here.get(KEY, api.fill), "theirs");
  await there.set(KEY, DELETED);
  clock.time += 5_000;
  equal(await here.get(KEY, api.fill), "v2");
});

Deno.test("an entry that another process deleted is not served when a fill fails", async () => {
  const durable = fakeStore({ shared: true });
  const { cache, clock } = setUp({ durable });
  const api = source();
  await cache.get(KEY, api.fill);
  durable.entries.clear();
  api.down = true;
  clock.time += 5_000;
  await rejects(cache.get(KEY, api.fill), /source down/);
});

Deno.test("a renewal in flight does not restore an entry that another process deleted", async () => {
  const durable = fakeStore({ shared: true });
  const { cache, clock } = setUp({ durable });
  const api = source();
  await cache.get(KEY, api.fill);
  clock.time += TTL * 3 / 4;
  const release = hold(api);
  equal(await cache.get(KEY, api.fill), "v1"); // looked up, and renewing
  durable.entries.clear();
  clock.time += 5_000;
  const next = cache.get(KEY, api.fill);
  await settled();
  equal(api.asked, 3);
  await release();
  equal(await next, "v3");
  equal(cache.getFresh(KEY), "v3");
});

Deno.test("a copy that a broken shared tier cannot confirm is filled again, and served if that fails", async () => {
  const durable = fakeStore({ shared: true });
  const { cache, clock, events } = setUp({ durable });
  const api = source();
  await cache.get(KEY, api.fill);
  durable.broken = true;
  clock.time += 5_000;
  equal(await cache.get(KEY, api.fill), "v2");
  api.down = true;
  clock.time += 5_000;
  equal(await cache.get(KEY, api.fill), "v2");
  deepEqual(events(), ["miss", "miss", "fill_failed", "stale"]);
  equal(cache.getFresh(KEY), "v2"); // both down: not asked again at once
  clock.time += 5_000;
  equal(cache.getFresh(KEY), undefined);
});

Deno.test("during an outage a shared tier is still read, and reading it does not reset the backoff", async () => {
  const durable = fakeStore({ shared: true });
  const { cache, clock } = setUp({ durable });
  const api = source();
  await cache.get(KEY, api.fill);
  clock.time += TTL;
  api.down = true;
  equal(await cache.get(KEY, api.fill), "v1");
  clock.time += 1_000;
  const release = hold(api); // the next attempt hangs
  equal(await cache.get(KEY, api.fill), "v1");
  clock.time += 5_000;
  equal(await cache.get(KEY, api.fill), "v1");
  equal(api.asked, 3);
  durable.entries.clear();
  clock.time += 5_000;
  const dropped = rejects(cache.get(KEY, api.fill), /source down/);
  await release();
  await dropped;
});

Deno.test("a durable read in flight does not undo a renewal that ended meanwhile", async () => {
  const durable = fakeStore({ shared: true });
  const { cache, clock } = setUp({ durable });
  const api = source();
  await cache.get(KEY, api.fill);
  clock.time += TTL * 3 / 4;
  const releaseApi = hold(api);
  await cache.get(KEY, api.fill);
  clock.time += 5_000;
  const releaseStore = hold(durable);
  const waiting = cache.get(KEY, api.fill);
  await releaseApi();
  equal(cache.getFresh(KEY), "v2");
  await releaseStore();
  equal(await waiting, "v2");
  equal(cache.getFresh(KEY), "v2");
});

Deno.test("get() treats a durable value that cannot be decoded as missing", async () => {
  const durable = fakeStore();
  const { cache, clock, events } = setUp({ durable });
  durable.entries.set("test/sandbox-1", {
    value: 42,
    refreshAt: clock.time + TTL,
    expiresAt: clock.time + TTL,
    staleUntil: clock.time + TTL,
  });
  equal(await cache.get(KEY, source().fill), "v1");
  deepEqual(events(), ["codec_failed", "miss"]);
  await settled();
  equal(durable.entries.get("test/sandbox-1")?.value, "v1");
});

Deno.test("codec_failed has the codec's error as its cause, and the caller gets the source's value", async () => {
  const reports: unknown[][] = [];
  const broken = new TypeError("broken");
  const cache = new Cache<string>({
    kind: "test",
    maxEntries: 100,
    durable: {
      store: fakeStore().store,
      codec: {
        ...CODEC,
        encode() {
          throw broken;
        },
      },
    },
    now: () => 0,
    onEvent: (...report) => reports.push(report),
    background: new Background(() => {}),
  });
  equal(await cache.get(KEY, source().fill), "v1");
  await settled();
  deepEqual(
    reports.filter(([event]) => event === "codec_failed"),
    [["codec_failed", "test", broken]],
  );
});

/** How the values of the tests below are confirmed. */
const CONFIRM = { afterMs: 3_500, ttlMs: 1_500, onlyIfTold: false };

/** A cache whose values have to be confirmed, and a source that always says the same. */
function setUpUnconfirmed(
  { confirm = CONFIRM, ...options }: Parameters<typeof setUp>[0] & {
    readonly confirm?: Confirmation;
  } = {},
) {
  const world = setUp(options);
  const state = { asked: 0, gate: Promise.resolve() };
  async function fill(): Promise<Fill<string>> {
    state.asked++;
    await state.gate;
    return { value: "v", ttlMs: TTL, staleIfErrorMs: STALE, confirm };
  }
  return {
    ...world,
    state,
    /** Gets the value after so long, ms, and waits until it is stored; true if it was in process and fresh. */
    async isKnownAfter(ms: number): Promise<boolean> {
      world.clock.time += ms;
      const known = world.cache.getFresh(KEY) !== undefined;
      await world.cache.get(KEY, fill);
      await settled();
      return known;
    },
  };
}

Deno.test("a value that has to be confirmed lasts for its short TTL, until a fill gives it again late enough", async () => {
  for (const durable of [undefined, fakeStore(), fakeStore({ shared: true })]) {
    const { isKnownAfter, state } = setUpUnconfirmed({
      ...durable !== undefined && { durable },
    });
    await isKnownAfter(0);
    assert(await isKnownAfter(749));
    assert(!await isKnownAfter(751)); // asked again after 1.5 s
    assert(!await isKnownAfter(1_999));
    assert(!await isKnownAfter(1_500)); // after 5 s in all
    equal(state.asked, 4);
    assert(await isKnownAfter(4_999));
    equal(state.asked, 4);
  }
});

Deno.test("a value is confirmed by a fill that comes much later, as long as it is kept", async () => {
  for (const shared of [false, true]) {
    const durable = fakeStore({ shared });
    const { isKnownAfter, cache, clock } = setUpUnconfirmed({ durable });
    await isKnownAfter(0);
    await isKnownAfter(TTL - 1);
    clock.time += 4_999;
    equal(cache.getFresh(KEY), "v");

    const late = setUpUnconfirmed({ durable: fakeStore({ shared }) });
    await late.isKnownAfter(0);
    await late.isKnownAfter(TTL);
    late.clock.time += 4_999;
    equal(late.cache.getFresh(KEY), undefined);
  }
});

Deno.test("a confirmed value stays confirmed while it is renewed, but not once it has expired", async () => {
  const { isKnownAfter } = setUpUnconfirmed();
  await isKnownAfter(0);
  await isKnownAfter(10_000);
  await isKnownAfter(TTL - 1);
  assert(await isKnownAfter(80_000));
  await isKnownAfter(TTL);
  assert(!await isKnownAfter(1_500));
});

Deno.test("a value that another process has deleted or replaced since is not confirmed", async () => {
  for (const how of ["deleted", "replaced", "came anew"]) {
    const durable = fakeStore({ shared: true });
    const { isKnownAfter, state, clock, cache } = setUpUnconfirmed({ durable });
    await isKnownAfter(0);
    const release = hold(state);
    const confirming = isKnownAfter(4_000);
    await settled();
    const [stored] = durable.entries;
    assert(stored !== undefined);
    const [name, entry] = stored;
    if (how === "deleted") durable.entries.delete(name);
    if (how === "replaced") durable.entries.set(name, { ...entry, value: "w" });
    if (how === "came anew") {
      const unconfirmed = { since: clock.time, keptUntil: clock.time + TTL };
      durable.entries.set(name, { ...entry, unconfirmed });
    }
    await release();
    await confirming;
    clock.time += 1_500;
    equal(cache.getFresh(KEY), undefined, how);
    await isKnownAfter(3_500);
    assert(await isKnownAfter(4_000), how);
  }
});

Deno.test("only a value that nobody has deleted meanwhile is replaced by a confirmed one", async () => {
  const durable = fakeStore({ shared: true });
  const { isKnownAfter } = setUpUnconfirmed({ durable });
  await isKnownAfter(0);
  await isKnownAfter(4_000);
  deepEqual(durable.conditions, [false, true]);
});

Deno.test("a database that is down keeps no value from being confirmed", async () => {
  const durable = fakeStore({ shared: true });
  durable.broken = true;
  const { isKnownAfter } = setUpUnconfirmed({ durable });
  await isKnownAfter(0);
  await isKnownAfter(4_000);
  assert(await isKnownAfter(4_000));
});

Deno.test("a value that is not confirmed yet is served like any other while its source is down", async () => {
  const { isKnownAfter, state, cache, clock } = setUpUnconfirmed();
  await isKnownAfter(0);
  state.gate = Promise.reject(new Error("down"));
  state.gate.catch(() => {});
  await isKnownAfter(10_000);
  clock.time += TTL + STALE - 10_001;
  equal(await cache.get(KEY, () => Promise.reject(new Error("down"))), "v");
});

Deno.test("a value that only a store can vouch for which the source tells of changes is confirmed by no other", async () => {
  const confirm = { ...CONFIRM, onlyIfTold: true };
  const told = fakeStore({ shared: true });
  told.tellsChanges = true;
  for (
    const [durable, isConfirmed] of [
      [undefined, false],
      [fakeStore(), false],
      [fakeStore({ shared: true }), false],
      [told, true],
    ] as const
  ) {
    const { isKnownAfter, state } = setUpUnconfirmed({
      confirm,
      ...durable !== undefined && { durable },
    });
    for (let times = 0; times < 5; times++) await isKnownAfter(1_500);
    assert.equal(await isKnownAfter(1_500), isConfirmed);
    equal(state.asked, isConfirmed ? 4 : 6);
  }
});

Deno.test("a value that nothing can vouch for is written once in half its TTL, and the older one in a shared tier does not replace it", async () => {
  const confirm = { ...CONFIRM, onlyIfTold: true };
  for (const shared of [false, true]) {
    const durable = fakeStore({ shared });
    const { isKnownAfter, state, events } = setUpUnconfirmed({
      confirm,
      durable,
    });
    await isKnownAfter(0);
    events();
    for (let ms = 0; ms < TTL; ms += 1_200) await isKnownAfter(1_200);
    equal(state.asked, 101);
    deepEqual(new Set(events()), new Set(["hit"])); // nobody has waited
    equal(durable.conditions.length, 3); // at the start, and after one and two minutes
  }
});

Deno.test("a value that is deleted while its store is asked whether it tells of changes is not written again", async () => {
  const durable = fakeStore({ shared: true });
  const { promise, resolve } = Promise.withResolvers<boolean>();
  durable.store.tellsChanges = () => promise;
  const confirm = { ...CONFIRM, onlyIfTold: true };
  const { isKnownAfter, cache } = setUpUnconfirmed({ durable, confirm });
  await isKnownAfter(0);
  await cache.delete(KEY);
  resolve(false);
  await settled();
  equal(durable.entries.size, 0);
});

Deno.test("a value that is deleted while a shared tier is asked what it has is not written again", async () => {
  const durable = fakeStore({ shared: true });
  const { cache, isKnownAfter, state } = setUpUnconfirmed({ durable });
  const answered = Promise.withResolvers<void>();
  state.gate = answered.promise;
  const known = isKnownAfter(0);
  await settled(); // the tier had nothing, and the source is asked
  const read = Promise.withResolvers<void>();
  durable.gate = read.promise;
  answered.resolve();
  await known;
  const deleted = cache.delete(KEY);
  read.resolve();
  await deleted;
  await settled();
  equal(durable.entries.size, 0);
});

Deno.test("such a store vouches for nothing while it is down", async () => {
  const durable = fakeStore({ shared: true });
  durable.tellsChanges = true;
  durable.broken = true;
  const confirm = { ...CONFIRM, onlyIfTold: true };
  const { isKnownAfter } = setUpUnconfirmed({ durable, confirm });
  await isKnownAfter(0);
  await isKnownAfter(4_000);
  assert(!await isKnownAfter(1_500));
});

Deno.test("asking again about a value that is not confirmed is not a miss that somebody pays for, until it is too old", async () => {
  const fill = () => Promise.resolve({ value: "w", ttlMs: TTL });
  function refuse(): never {
    throw new Error("too many");
  }
  for (const ms of [TTL - 1, TTL]) {
    const { isKnownAfter, cache, clock } = setUpUnconfirmed();
    await isKnownAfter(0);
    clock.time += ms;
    const got = cache.get(KEY, fill, refuse);
    if (ms < TTL) equal(await got, "w");
    else await rejects(got, /too many/);
  }
});
