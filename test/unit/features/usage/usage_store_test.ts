import assert from "node:assert/strict";
import {
  HOUR_MS,
  type UsageRow,
} from "../../../../src/features/usage/usage_counter.ts";
import { UsageStore } from "../../../../src/features/usage/usage_store.ts";
import { MemoryValues } from "../../../support/memory_values.ts";

/** A row of that hour, and so many requests. */
function row(hour: number, requests: number): UsageRow {
  return {
    sandboxId: "box",
    organizationId: undefined,
    hour: hour * HOUR_MS,
    isNew: true,
    requests,
    receivedBytes: 10 * requests,
    sentBytes: 100 * requests,
    webSocketSec: 0.5,
  };
}

/** The hours and requests that are known of the sandbox, from hour 0 until 9. */
async function known(store: UsageStore) {
  const hours = await store.read("box", 0, 9 * HOUR_MS);
  return hours.map(({ hour, requests }) => [hour / HOUR_MS, requests]);
}

Deno.test("usage that is stored again, or late, counts once, and that of other processes is added", async () => {
  const values = new MemoryValues();
  const [one, other] = [
    new UsageStore(values.gateway(), "one"),
    new UsageStore(values.gateway(), "other"),
  ];
  await one.store([row(3, 5)]);
  await one.store([row(3, 5), row(4, 1)]);
  await other.store([row(3, 2)]);
  await one.store([row(3, 6)]);
  await one.store([row(2, 9)]);
  assert.deepEqual(await known(other), [[2, 9], [3, 8], [4, 1]]);
  const [, third] = await one.read("box", 2 * HOUR_MS, 4 * HOUR_MS);
  assert.deepEqual(third, {
    hour: 3 * HOUR_MS,
    requests: 8,
    receivedBytes: 80,
    sentBytes: 800,
    webSocketSec: 1,
  });
  assert.deepEqual(await one.read("another", 0, 9 * HOUR_MS), []);
});

Deno.test("what two processes write at the same time is kept of both", async () => {
  const values = new MemoryValues();
  const stores = ["one", "other"].map((each) =>
    new UsageStore(values.gateway(), each)
  );
  await Promise.all(stores.map((store) => store.store([row(1, 1)])));
  assert.deepEqual(await known(new UsageStore(values.gateway(), "third")), [[
    1,
    2,
  ]]);
});

Deno.test("what could not be stored is new, and so is what has grown meanwhile", async () => {
  const values = new MemoryValues();
  const store = new UsageStore(values.gateway(), "one");
  const kept = row(1, 1);
  values.isAway = true;
  await assert.rejects(store.store([kept]), { code: "records_unavailable" });
  assert.equal(kept.isNew, true);
  values.isAway = false;
  const storing = store.store([kept]);
  kept.requests++;
  await storing;
  assert.equal(kept.isNew, true);
  await store.store([kept]);
  assert.equal(kept.isNew, false);
  const { length } = values.asked;
  await store.store([kept]);
  assert.equal(values.asked.length, length);
});

Deno.test("a value that cannot be written keeps no other from being stored", async () => {
  const values = new MemoryValues();
  const store = new UsageStore(values.gateway(), "one");
  values.unwritable.add("usage,box,1");
  const rows = Array.from({ length: 40 }, (_, hour) => row(hour, 1));
  await assert.rejects(store.store(rows), { code: "records_unavailable" });
  const unstored = rows.filter(({ isNew }) => isNew);
  assert.deepEqual(unstored.map(({ hour }) => hour / HOUR_MS), [1]);
});

Deno.test("an hour that cannot be read hides no other", async () => {
  const values = new MemoryValues();
  const store = new UsageStore(values.gateway(), "one");
  await store.store([row(1, 1), row(2, 2)]);
  const text = '{"one":{"requests":null}}';
  values.kept.set("usage,box,1", { text, version: "theirs" });
  assert.deepEqual(await known(store), [[2, 2]]);
});
