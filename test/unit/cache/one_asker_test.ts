import assert from "node:assert/strict";
import { Cache } from "../../../src/cache/cache.ts";
import type { Fill } from "../../../src/cache/fill.ts";
import { Background } from "../../../src/lib/background.ts";
import type { CacheEvent } from "../../../src/observability/metrics/facts.ts";
import { type FakeClock, fakeClock } from "../../support/fake_clock.ts";
import { type FakeStore, fakeStore, settled } from "./fakes.ts";

const KEY = "sandbox-1";

/** For how long a value counts that is not confirmed, ms; from half of it on, it is asked for again. */
const BOUND = 7_000;

const CONFIRM = { afterMs: 3_500, ttlMs: BOUND, onlyIfTold: true };

const CODEC = {
  encode: (value: string) => value,
  decode: (json: unknown) => typeof json === "string" ? json : undefined,
};

/** A source that several processes ask. */
interface Source {
  value: string;
  asked: number;
  /** Every answer waits for it; whoever asks now gets what it gives. */
  gate: Promise<unknown>;
}

function sourceOf(value: string): Source {
  return { value, asked: 0, gate: Promise.resolve() };
}

/** One process, whose clock is ahead by `aheadMs`. */
function processOn({ store }: FakeStore, source: Source, aheadMs = 0) {
  const events: CacheEvent[] = [];
  const cache = new Cache<string>({
    kind: "test",
    maxEntries: 100,
    durable: { store, codec: CODEC },
    now: () => Date.now() + aheadMs,
    onEvent: (event) => events.push(event),
    background: new Background(() => {}),
    asksForAll: true,
  });
  async function fill(): Promise<Fill<string>> {
    const { value } = source;
    source.asked++;
    await source.gate;
    const confirm = CONFIRM;
    return { value, ttlMs: 120_000, staleIfErrorMs: 600_000, confirm };
  }
  return {
    events,
    get: () => cache.get(KEY, fill),
    /** What the process serves, if a visitor need not wait. */
    async served(): Promise<string | undefined> {
      let value: string | undefined;
      cache.get(KEY, fill).then((found) => value = found, () => {});
      await settled();
      return value;
    },
  };
}

/** Lets time pass in small steps, so that what waits goes on in between. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 50) {
    clock.pass(50);
    await settled();
  }
}

Deno.test("of several processes in constant use, one asks in half of the bound, and nobody waits", async () => {
  using clock = fakeClock();
  const source = sourceOf("v");
  const durable = fakeStore({ shared: true });
  const all = [1, 2, 3].map(() => processOn(durable, source));
  for (const { get } of all) assert.equal(await get(), "v");
  assert.equal(source.asked, 1);
  for (let ms = 0; ms < 70_000; ms += 50) {
    for (const { served } of all) assert.equal(await served(), "v");
    await pass(clock, 50);
  }
  assert(source.asked <= 21, String(source.asked));
});

Deno.test("whoever has to wait adopts the answer of the process that asks", async () => {
  using clock = fakeClock();
  const source = sourceOf("v");
  const { promise, resolve } = Promise.withResolvers<void>();
  source.gate = promise;
  const durable = fakeStore({ shared: true });
  const [one, other] = [1, 2].map(() => processOn(durable, source));
  const first = one?.get();
  await settled();
  const second = other?.get();
  await settled(); // both have come in the same second
  await pass(clock, 400);
  resolve();
  await pass(clock, 500);
  assert.deepEqual(await Promise.all([first, second]), ["v", "v"]);
  assert.equal(source.asked, 1);
  assert.deepEqual(other?.events, ["durable_hit"]);
});

Deno.test("an adopted answer counts from when its question was sent", async () => {
  using clock = fakeClock();
  const source = sourceOf("v");
  const { promise, resolve } = Promise.withResolvers<void>();
  source.gate = promise;
  const durable = fakeStore({ shared: true });
  const [one, other] = [1, 2].map(() => processOn(durable, source));
  one?.get();
  await settled();
  await pass(clock, 3_000);
  resolve();
  await settled();
  assert.equal(await other?.get(), "v");
  source.gate = Promise.withResolvers<void>().promise; // from now on, nobody is answered
  await pass(clock, BOUND - 3_000 - 50);
  assert.equal(await other?.served(), "v");
  await pass(clock, 50);
  assert.equal(await other?.served(), undefined);
});

Deno.test("what was asked later by another process is adopted before the source is asked", async () => {
  using clock = fakeClock();
  const source = sourceOf("v");
  const durable = fakeStore({ shared: true });
  const [one, other] = [1, 2].map(() => processOn(durable, source));
  await one?.get();
  await other?.get();
  await pass(clock, BOUND / 2);
  source.value = "w";
  await one?.get(); // asks in the background
  await settled();
  assert.equal(source.asked, 2);
  assert.equal(await other?.served(), "v"); // and looks
  assert.equal(await other?.served(), "w");
  assert.equal(source.asked, 2);
});

Deno.test("if the process that asks dies, the others serve what they may, and then ask", async () => {
  using clock = fakeClock();
  const source = sourceOf("v");
  const durable = fakeStore({ shared: true });
  const [one, other] = [1, 2].map(() => processOn(durable, source));
  await one?.get();
  await other?.get();
  await pass(clock, BOUND / 2);
  source.gate = new Promise(() => {});
  assert.equal(await one?.served(), "v");
  source.gate = Promise.resolve();
  source.value = "w";
  for (let ms = BOUND / 2; ms < BOUND * 3 / 4; ms += 50) {
    assert.equal(await other?.served(), "v", String(ms));
    await pass(clock, 50);
  }
  assert.equal(source.asked, 2);
  await other?.served();
  await pass(clock, 50);
  assert.equal(await other?.get(), "w");
  assert.equal(source.asked, 3);
});

Deno.test("who has nothing waits for another process for a second, and then asks", async () => {
  using clock = fakeClock();
  const source = sourceOf("v");
  const durable = fakeStore({ shared: true });
  const [one, other] = [1, 2].map(() => processOn(durable, source));
  source.gate = new Promise(() => {});
  one?.get();
  await settled();
  source.gate = Promise.resolve();
  const waiting = other?.get();
  await settled(); // both have come in the same second
  await pass(clock, 950);
  assert.equal(source.asked, 1);
  await pass(clock, 100);
  assert.equal(source.asked, 2);
  assert.equal(await waiting, "v");
});

Deno.test("a lease that the store keeps for too long hinders no later question", async () => {
  using clock = fakeClock();
  const source = sourceOf("v");
  const durable = fakeStore({ shared: true }); // it never deletes anything by time
  const one = processOn(durable, source);
  await one.get();
  for (let questions = 2; questions < 6; questions++) {
    await pass(clock, BOUND / 2);
    await one.served();
    assert.equal(source.asked, questions);
  }
});

Deno.test("who asks anew for what was deleted waits for no answer of before", async () => {
  using clock = fakeClock();
  const source = sourceOf("v");
  const durable = fakeStore({ shared: true });
  const [one, other] = [1, 2].map(() => processOn(durable, source));
  await one?.get();
  await pass(clock, 1_000);
  durable.entries.delete(`test/${KEY}`);
  assert.equal(await other?.served(), "v");
  assert.equal(source.asked, 2);
});

Deno.test("while the store is away, every process asks by itself", async () => {
  using clock = fakeClock();
  const source = sourceOf("v");
  const durable = fakeStore({ shared: true });
  durable.broken = true;
  const all = [1, 2, 3].map(() => processOn(durable, source));
  for (const { get } of all) assert.equal(await get(), "v");
  assert.equal(source.asked, 3);
  await pass(clock, BOUND / 2);
  for (const { served } of all) assert.equal(await served(), "v");
  assert.equal(source.asked, 6);
});

Deno.test("processes whose clocks are seconds apart ask by themselves, and serve a value for too long by that at most", async () => {
  for (const aheadMs of [-5_000, 5_000]) {
    using clock = fakeClock();
    const source = sourceOf("v");
    const durable = fakeStore({ shared: true });
    const right = processOn(durable, source);
    const wrong = processOn(durable, source, aheadMs);
    const all = [right, wrong];
    for (let ms = 0; ms < 20_000; ms += 500) {
      for (const { get } of all) assert.equal(await get(), "v");
      await pass(clock, 500);
    }
    assert(source.asked <= 2 * 20_000 / (BOUND / 2) + 2, String(source.asked));
    source.value = "w";
    await pass(clock, BOUND + 5_000);
    for (const { get } of all) assert.equal(await get(), "w", String(aheadMs));
  }
});

Deno.test("what another process is told replaces what this one serves, and who asked says so once it is stored", async () => {
  using clock = fakeClock();
  const durable = fakeStore({ shared: true });
  const log: string[] = [];
  const [one, other] = ["one", "other"].map((name) => {
    const cache = new Cache<string>({
      kind: "test",
      maxEntries: 100,
      durable: { store: durable.store, codec: CODEC },
      now: Date.now,
      onEvent() {},
      background: new Background(() => {}),
      async onReplaced(key, earlier, value, stored) {
        if (earlier === value) return;
        log.push(`${name}: ${key} was ${earlier}, is ${value}`);
        if (stored === undefined) return;
        await stored;
        log.push(`${name}: ${durable.entries.get(`test/${key}`)?.value}`);
      },
    });
    return cache;
  });
  const confirm = CONFIRM;
  const ask = (value: string) => () =>
    Promise.resolve({ value, ttlMs: 120_000, confirm });
  await one?.get(KEY, ask("v"));
  await settled();
  await other?.get(KEY, ask("v"));
  await pass(clock, BOUND);
  await one?.get(KEY, ask("w"));
  await settled();
  await other?.get(KEY, ask("never"));
  assert.deepEqual(log, [
    "one: sandbox-1 was v, is w",
    "one: w",
    "other: sandbox-1 was v, is w",
  ]);
});

Deno.test("what was deleted by somebody else is replaced all the same once it is known by what", async () => {
  using clock = fakeClock();
  const durable = fakeStore({ shared: true });
  const log: unknown[] = [];
  const cache = new Cache<string>({
    kind: "test",
    maxEntries: 100,
    durable: { store: durable.store, codec: CODEC },
    now: Date.now,
    onEvent() {},
    background: new Background(() => {}),
    onReplaced: (_, earlier, value) => log.push([earlier, value]),
  });
  const ask = (value: string) => () => Promise.resolve({ value, ttlMs: BOUND });
  await cache.get(KEY, ask("v"));
  await settled();
  durable.entries.clear();
  await pass(clock, 5_000); // until entries are read again
  assert.equal(await cache.get(KEY, ask("w")), "w");
  assert.deepEqual(log, [["v", "w"]]);
});
