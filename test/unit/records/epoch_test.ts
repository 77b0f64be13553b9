import assert from "node:assert/strict";
import { z } from "zod";
import type { StoreKey } from "../../../src/cache/store.ts";
import {
  acceptStore,
  EPOCH_KEY,
  watchEpoch,
} from "../../../src/records/epoch.ts";
import type { Form } from "../../../src/records/form.ts";
import { RecordValues } from "../../../src/records/record_values.ts";
import { Records } from "../../../src/records/records.ts";
import { WatchedValue } from "../../../src/records/watched_value.ts";
import { collectLog } from "../../support/collected_log.ts";
import { fakeClock } from "../../support/fake_clock.ts";
import { MemoryValues } from "../../support/memory_values.ts";
import { anyForm } from "../../support/record_forms.ts";

const KEY: StoreKey = ["blocks"];
const EPOCH = String(EPOCH_KEY);
const FORM: Form<readonly string[]> = { schema: z.array(z.string()), none: [] };
const UNAVAILABLE = { code: "records_unavailable" };
const START = 1_700_000_000_000;

/** A gateway's store of records, and the clock of all. */
function setUp(store = new MemoryValues()) {
  const clock = { time: START };
  const doubted: boolean[] = [];
  const options = {
    open: () =>
      Promise.resolve(watchEpoch(store, {
        now: () => clock.time,
        onDoubt: (isDoubted) => void doubted.push(isDoubted),
      })),
    now: () => clock.time,
    onFailure() {},
  };
  const values = new RecordValues(options);
  const list = new WatchedValue(values, KEY, FORM);
  const block = (word: string) =>
    list.update((words) => ({ value: [...words, word] }));
  return { store, clock, doubted, options, values, list, block };
}

function looksIn({ asked }: MemoryValues): number {
  return asked.filter((each) => each === `read ${EPOCH}`).length;
}

Deno.test("a store that was never used gets a marker, which all gateways know", async () => {
  const one = setUp();
  const other = setUp(one.store);
  await one.block("a");
  await other.list.look();
  assert(one.store.kept.has(EPOCH));
  const writes = one.store.asked.filter((each) => each === `write ${EPOCH}`);
  assert.equal(writes.length, 1);
  assert.deepEqual(await one.values.doubts(), []);
  assert.deepEqual(await other.values.doubts(), []);
});

Deno.test("what a store has that comes back empty overwrites nothing in memory, and it is told once", async () => {
  await using log = await collectLog();
  const { store, list, block, values, doubted } = setUp();
  await block("a");
  store.kept.clear();
  for (let count = 0; count < 3; count++) {
    await assert.rejects(list.look(), UNAVAILABLE);
  }
  assert.deepEqual(list.value, ["a"]);
  await assert.rejects(block("b"), UNAVAILABLE);
  assert.equal(store.kept.size, 0);
  assert.match((await values.doubts()).join(), /empty.*--accept-empty/);
  assert.deepEqual(doubted, [true]);
  const [first, ...more] = log.records();
  assert.deepEqual([first?.level, first?.message, more.length], [
    "ERROR",
    "the store of records is lost",
    0,
  ]);
});

Deno.test("while the store is empty, a token that was read goes on", async () => {
  using time = fakeClock();
  time.pass(1); // at 0, nothing would expire
  const { store, options } = setUp();
  const records = new Records({ ...options, maxEntries: 100 })
    .join(null, { staleIfErrorMs: 60_000 });
  const token = anyForm("token");
  const times = { createdAt: START, expiresAt: null };
  const whose = { id: "a", sandboxId: "s", organizationId: "o" };
  await records.put(token, { ...whose, ...times, data: null }, "absent");
  await records.get(token, "a");
  store.kept.clear();
  time.pass(6_000); // it is read again
  assert.equal((await records.get(token, "a"))?.record.id, "a");
  await assert.rejects(records.get(token, "unknown"), UNAVAILABLE);
});

Deno.test("another store's values count for nothing, those of one that lost its marker do", async () => {
  const { store, list, block, clock } = setUp();
  await block("a");
  store.kept.delete(EPOCH);
  clock.time += 2_000;
  await block("b");
  assert.deepEqual(list.value, ["a", "b"]);
  await setUp(store).values.read(KEY, FORM);
  store.kept.set(String(KEY), { text: "[]", version: "theirs" });
  clock.time += 2_000;
  await assert.rejects(list.look(), UNAVAILABLE);
  assert.deepEqual(list.value, ["a", "b"]);
});

Deno.test("once an operator accepts the store, it counts as it is at all gateways", async () => {
  await using log = await collectLog();
  const gateway = setUp();
  const { store, list, block, clock, doubted, values } = gateway;
  await block("a");
  store.kept.clear();
  await assert.rejects(list.look(), UNAVAILABLE);
  const started = setUp(store);
  await started.block("c");
  clock.time += 600_000;
  started.clock.time += 600_000;
  await acceptStore(store, clock.time);
  await list.look();
  assert.deepEqual(list.value, ["c"]);
  assert.deepEqual(await values.doubts(), []);
  assert.deepEqual(await started.values.doubts(), []);
  assert.deepEqual(doubted, [true, false]);
  assert.equal(
    log.records().at(-1)?.message,
    "the store of records counts again",
  );
});

Deno.test("a store that was accepted long ago is another one all the same", async () => {
  const { store, list, block, clock } = setUp();
  await block("a");
  store.kept.clear();
  await acceptStore(store, clock.time - 3_600_000);
  clock.time += 2_000;
  await assert.rejects(list.look(), UNAVAILABLE);
  assert.deepEqual(list.value, ["a"]);
});

Deno.test("a store that fails, or whose marker cannot be read alone, is no other one", async () => {
  const { store, list, block, clock, values, doubted } = setUp();
  await block("a");
  const { read } = store;
  store.read = (key) =>
    key === EPOCH_KEY
      ? Promise.reject(new Error("away"))
      : read.call(store, key);
  clock.time += 2_000;
  await list.look();
  assert.equal(
    (await values.read(["names", "1"], FORM)) === "unreadable",
    false,
  );
  assert.deepEqual(doubted, []);
});

Deno.test("the marker is read once in 2 s, and once for all that is missing at once", async () => {
  const { store, list, block, values } = setUp();
  await block("a");
  const before = looksIn(store);
  for (let count = 0; count < 50; count++) await list.look();
  assert.equal(looksIn(store) - before, 0);
  const missing = Array.from(
    { length: 50 },
    (_, at) => values.read(["names", String(at)], FORM),
  );
  await Promise.all(missing);
  assert(looksIn(store) - before <= 2, `${looksIn(store) - before}`);
});
