import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  strictEqual as equal,
} from "node:assert/strict";
import { type Codec, DurableTier } from "../../../src/cache/durable_tier.ts";
import { fakeStore, settled } from "./fakes.ts";

const TIMES = { refreshAt: 1, expiresAt: 2, staleUntil: 3 };
const KEY = "sandbox-1";

/** Dates as text: something that JSON alone does not carry. */
const DATES: Codec<Date> = {
  encode: (date) => date.toISOString(),
  decode(json) {
    const date = new Date(String(json));
    return Number.isNaN(date.getTime()) ? undefined : date;
  },
};

function setUp(codec: Codec<Date> = DATES) {
  const fake = fakeStore();
  const causes: unknown[] = [];
  const tier = new DurableTier({
    store: fake.store,
    codec,
    kind: "dates",
    onCodecFailure: (cause) => void causes.push(cause),
  });
  return {
    fake,
    calls: fake.calls,
    entries: fake.entries,
    tier,
    causes,
    get codecFailures(): number {
      return causes.length;
    },
  };
}

Deno.test("write() and read() pass a value through its codec, under the cache's kind", async () => {
  const { tier, entries } = setUp();
  const found = { ...TIMES, value: new Date(0) };
  equal(await tier.read(KEY), "absent");
  await tier.write(KEY, found);
  deepEqual([...entries], [
    ["dates/sandbox-1", { ...TIMES, value: "1970-01-01T00:00:00.000Z" }],
  ]);
  deepEqual(await tier.read(KEY), found);
  await tier.remove(KEY);
  equal(await tier.read(KEY), "absent");
});

Deno.test("write() passes staleUntil to the codec", async () => {
  const kept: number[] = [];
  const { tier } = setUp({
    ...DATES,
    encode: (_date, staleUntil) => kept.push(staleUntil),
  });
  await tier.write(KEY, { ...TIMES, value: new Date(0) });
  deepEqual(kept, [3]);
});

Deno.test("read() is unavailable if the codec refuses the value or throws", async () => {
  const refusing = setUp();
  refusing.entries.set("dates/sandbox-1", { ...TIMES, value: "no date" });
  equal(await refusing.tier.read(KEY), "unavailable");
  equal(refusing.codecFailures, 1);
  deepEqual(refusing.causes, [undefined]);

  const throwing = setUp({
    ...DATES,
    decode: () => Promise.reject(new Error("sealed by another")),
  });
  throwing.entries.set("dates/sandbox-1", { ...TIMES, value: "any" });
  equal(await throwing.tier.read(KEY), "unavailable");
  equal(throwing.codecFailures, 1);
  match(String(throwing.causes[0]), /sealed by another/);
});

Deno.test("write() of a value that the codec cannot encode deletes the older value", async () => {
  const setup = setUp();
  setup.entries.set("dates/sandbox-1", { ...TIMES, value: "1970-01-01" });
  await setup.tier.write(KEY, { ...TIMES, value: new Date(NaN) });
  equal(await setup.tier.read(KEY), "absent");
  equal(setup.codecFailures, 1);
  ok(setup.causes[0] instanceof RangeError);
});

Deno.test("writes of one key run in order, and reads wait for them", async () => {
  const { fake, tier, calls, entries } = setUp();
  const gate = Promise.withResolvers<void>();
  fake.gate = gate.promise;
  const done = Promise.all([
    tier.write(KEY, { ...TIMES, value: new Date(0) }),
    tier.remove(KEY),
    tier.write(KEY, { ...TIMES, value: new Date(1) }),
    tier.read(KEY),
    tier.write("other", { ...TIMES, value: new Date(2) }),
  ]);
  await settled();
  deepEqual(calls, ["set dates/sandbox-1", "set dates/other"]);
  gate.resolve();
  deepEqual((await done)[3], { ...TIMES, value: new Date(1) });
  deepEqual(calls.filter((call) => call.endsWith("1")), [
    "set dates/sandbox-1",
    "delete dates/sandbox-1",
    "set dates/sandbox-1",
    "get dates/sandbox-1",
  ]);
  equal(entries.size, 2);
});
