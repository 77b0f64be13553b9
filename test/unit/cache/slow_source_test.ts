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
  assert.equal(state.asked, 3); // at first, at 3.5 s, and as the answer took longer than the first one
  assert.equal(await getWithin(clock, SLOW), undefined); // not a moment longer, however slow
  assert.equal(state.asked, 3);
  await answer();
  assert.equal(await getWithin(clock, 0), "v3");
});

Deno.test("who must not go by a value past its TTL waits for the source, unless that has just failed", async () => {
  using clock = fakeClock();
  const { cache } = await setUp({ staleIfSlow: true });
  let asked = 0;
  function ask(): Promise<Fill<string>> {
    asked++;
    return Promise.reject(new Error("source down"));
  }
  await cache.refresh(KEY, ask);
  assert.equal(asked, 0, "within its TTL");
  clock.pass(TTL);
  await cache.refresh(KEY, ask);
  await cache.refresh(KEY, ask);
  assert.equal(asked, 1, "in the pause after a failure");
  clock.pass(1_000);
  await cache.refresh(KEY, () => Promise.resolve({ value: "v2", ttlMs: TTL }));
  await settled();
  assert.equal(cache.getFresh(KEY), "v2");
});

Deno.test("of two answers, the one to the later question is kept, whichever comes first", async () => {
  using clock = fakeClock();
  const confirm = { afterMs: 3_500, ttlMs: 7_000, onlyIfTold: true };
  const cache = new Cache<string>({
    kind: "test",
    maxEntries: 100,
    durable: null,
    now: Date.now,
    onEvent: () => {},
    background: new Background(() => {}),
  });
  const answers: ((value: string) => void)[] = [];
  function ask(): Promise<Fill<string>> {
    return new Promise((resolve) => {
      answers.push((value) => resolve({ value, ttlMs: TTL, confirm }));
    });
  }
  async function answer(index: number, value: string): Promise<void> {
    answers[index]?.(value);
    await settled();
  }
  const first = cache.get(KEY, ask);
  await settled();
  clock.pass(4_000); // more than what an entry leaves for its renewal
  await answer(0, "yes");
  assert.equal(await first, "yes");
  for (const ms of [0, 1_750]) {
    clock.pass(ms);
    assert.equal(await cache.get(KEY, ask), "yes");
  }
  assert.equal(answers.length, 3);
  clock.pass(1_750);
  const waiting = cache.get(KEY, ask);
  await answer(2, "no");
  assert.equal(cache.getFresh(KEY), "no");
  await answer(1, "yes");
  assert.equal(cache.getFresh(KEY), "no");
  assert.equal(await waiting, "no");
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

/** A visit every 100 ms for half a minute to a cache whose source answers after `latencyMs`, every visitor's wait and the questions. */
async function visitsTo(
  latencyMs: number,
  durable?: FakeStore,
): Promise<{ waits: number[]; asked: number }> {
  using clock = fakeClock();
  let asked = 0;
  const waits: number[] = [];
  const confirm = { afterMs: 3_500, ttlMs: 7_000, onlyIfTold: true };
  const cache = new Cache<string>({
    kind: "test",
    maxEntries: 100,
    durable: durable ? { store: durable.store, codec: CODEC } : null,
    asksForAll: durable !== undefined,
    now: Date.now,
    onEvent: () => {},
    background: new Background(() => {}),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
  async function ask(): Promise<Fill<string>> {
    asked++;
    await new Promise((resolve) => setTimeout(resolve, latencyMs));
    return { value: "yes", ttlMs: TTL, staleIfErrorMs: STALE, confirm };
  }
  for (let ms = 0; ms < 30_000; ms += 100) {
    const cameAt = Date.now();
    cache.get(KEY, ask).then(() => waits.push(Date.now() - cameAt));
    await settled();
    clock.pass(100);
    await settled();
  }
  return { waits, asked };
}

for (const store of ["its own memory", "a shared store"]) {
  const durable = () =>
    store === "its own memory" ? undefined : fakeStore({ shared: true });

  Deno.test(`a source that takes five of seven seconds is asked again meanwhile, so that nobody waits (${store})`, async () => {
    const { waits, asked } = await visitsTo(5_000, durable());
    const late = waits.slice(150); // the first answers came one after the other
    assert(late.length > 100, `${late.length}`);
    assert.deepEqual(late.filter((ms) => ms > 0), []);
    assert(asked <= 18, `${asked}`);
  });

  Deno.test(`a fast source is not asked more often (${store})`, async () => {
    const { asked } = await visitsTo(100, durable());
    assert(asked >= 8 && asked <= 9, `${asked}`);
  });
}
