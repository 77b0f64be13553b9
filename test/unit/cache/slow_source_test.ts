import assert from "node:assert/strict";
import { Cache } from "../../../src/cache/cache.ts";
import type { Fill } from "../../../src/cache/fill.ts";
import { Background } from "../../../src/lib/background.ts";
import type { CacheEvent } from "../../../src/observability/metrics/facts.ts";
import { type FakeClock, fakeClock } from "../../support/fake_clock.ts";
import { type FakeStore, fakeStore, settled } from "./fakes.ts";

const KEY = "sandbox-1";
const TTL = 120_000;
const STALE = 600_000;

/** The longest wait for an answer while something is known that may be served, ms. */
const SLOW = 300;

const CODEC = {
  encode: (value: string) => value,
  decode: (json: unknown) => typeof json === "string" ? json : undefined,
};

/** A cache whose source has answered once, and then does not until `answer()` is called. */
async function setUp(
  { staleIfSlow = false, durable, ...fill }:
    & { readonly staleIfSlow?: boolean; readonly durable?: FakeStore }
    & Partial<Fill<string>>,
) {
  const events: CacheEvent[] = [];
  const cache = new Cache<string>({
    kind: "test",
    maxEntries: 100,
    durable: durable ? { store: durable.store, codec: CODEC } : null,
    now: Date.now,
    onEvent: (event) => events.push(event),
    background: new Background(() => {}),
    staleIfSlow,
  });
  const state = { asked: 0, gate: Promise.resolve() };
  async function ask(): Promise<Fill<string>> {
    const value = `v${++state.asked}`;
    await state.gate;
    return { value, ttlMs: TTL, staleIfErrorMs: STALE, ...fill };
  }
  await cache.get(KEY, ask);
  await settled();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  state.gate = promise;
  events.length = 0;
  return {
    cache,
    state,
    events,
    /** What a visitor gets who comes now and waits for `ms`; undefined if nothing. */
    async getWithin(clock: FakeClock, ms: number): Promise<string | undefined> {
      let value: string | undefined;
      cache.get(KEY, ask).then((found) => value = found, () => {});
      await settled();
      clock.pass(ms);
      await settled();
      return value;
    },
    async answer() {
      resolve();
      await settled();
    },
    async fail() {
      reject(new Error("source down"));
      await settled();
    },
  };
}

Deno.test("a value that is not confirmed is served while it is asked for, from half of its time until its end", async () => {
  using clock = fakeClock();
  const confirm = { afterMs: 3_500, ttlMs: 7_000, onlyIfTold: true };
  const { cache, state, getWithin, answer } = await setUp({ confirm });
  clock.pass(3_499);
  assert.equal(cache.getFresh(KEY), "v1");
  clock.pass(1);
  assert.equal(cache.getFresh(KEY), undefined);
  for (let ms = 3_500; ms < 7_000; ms += 500) {
    assert.equal(await getWithin(clock, 0), "v1");
    clock.pass(500);
  }
  assert.equal(state.asked, 2);
  assert.equal(await getWithin(clock, SLOW), undefined); // not a moment longer, however slow
  assert.equal(state.asked, 2);
  await answer();
  assert.equal(await getWithin(clock, 0), "v2");
});

Deno.test("a value that may be stale is served past its TTL after 300 ms of waiting, and then without", async () => {
  using clock = fakeClock();
  const { state, events, getWithin, answer } = await setUp({
    staleIfSlow: true,
  });
  clock.pass(TTL);
  assert.equal(await getWithin(clock, SLOW - 1), undefined);
  clock.pass(1);
  await settled();
  assert.equal(await getWithin(clock, 0), "v1");
  assert.deepEqual(events, ["stale", "stale"]);
  assert.equal(state.asked, 2);
  await answer();
  assert.equal(await getWithin(clock, 0), "v2");
  clock.pass(TTL);
  state.gate = new Promise(() => {});
  assert.equal(await getWithin(clock, SLOW - 1), undefined); // the next answer is waited for again
});

Deno.test("a slow source extends nothing past the bound for one that fails", async () => {
  using clock = fakeClock();
  const { getWithin } = await setUp({ staleIfSlow: true });
  clock.pass(TTL + STALE);
  assert.equal(await getWithin(clock, 10_000), undefined);
});

Deno.test("a value that may not be stale is waited for, however long that takes", async () => {
  using clock = fakeClock();
  const { getWithin, answer, events } = await setUp({});
  clock.pass(TTL);
  assert.equal(await getWithin(clock, 10_000), undefined);
  await answer();
  assert.equal(await getWithin(clock, 0), "v2");
  assert.deepEqual(events, ["miss", "hit"]);
});

Deno.test("a fill that fails after others were served leaves them what they may have", async () => {
  using clock = fakeClock();
  const { getWithin, fail } = await setUp({ staleIfSlow: true });
  clock.pass(TTL);
  assert.equal(await getWithin(clock, SLOW), "v1");
  await fail();
  assert.equal(await getWithin(clock, 0), "v1");
});

Deno.test("a copy within its TTL is served after 300 ms if the shared store is slow to say whether it has changed", async () => {
  using clock = fakeClock();
  const durable = fakeStore({ shared: true });
  const { getWithin, state } = await setUp({ durable });
  clock.pass(5_000);
  durable.gate = new Promise(() => {});
  assert.equal(await getWithin(clock, SLOW - 1), undefined);
  assert.equal(await getWithin(clock, SLOW), "v1");
  assert.equal(state.asked, 1);
});
