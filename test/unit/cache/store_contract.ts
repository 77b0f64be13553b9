/** The contract of every durable store, as test steps. */
import assert from "node:assert/strict";
import type {
  DurableStore,
  StoredEntry,
  StoreKey,
} from "../../../src/cache/store.ts";
import type { ManualClock } from "./fakes.ts";

const KEY: StoreKey = ["contract", "sandbox-1"];

/** An entry that is fresh for 90 s, valid for 2 min, and may be served stale for 10 more. */
export function entryAt(
  now: number,
  value: StoredEntry["value"],
): StoredEntry {
  return {
    value,
    refreshAt: now + 90_000,
    expiresAt: now + 120_000,
    staleUntil: now + 720_000,
  };
}

/** Runs the steps on a store that uses `clock`, and leaves it empty. */
export async function fulfilsContract(
  t: Deno.TestContext,
  { store, clock }: { store: DurableStore; clock: ManualClock },
): Promise<void> {
  const entry = (value: StoredEntry["value"]) => entryAt(clock.time, value);

  await t.step("get() of an unknown key is absent", async () => {
    assert.equal(await store.get(KEY), "absent");
  });

  await t.step(
    "set(), get() and delete() store, return and remove an entry",
    async () => {
      const stored = entry({ url: "http://r1", tags: ["é", 1, true, null] });
      await store.set(KEY, stored);
      assert.deepEqual(await store.get(KEY), stored);
      await store.delete(KEY);
      assert.equal(await store.get(KEY), "absent");
    },
  );

  await t.step("set() keeps null, false and the empty string", async () => {
    for (const value of [null, false, ""]) {
      await store.set(KEY, entry(value));
      assert.deepEqual(await store.get(KEY), entry(value));
    }
  });

  await t.step("claim() succeeds once, however many ask at once", async () => {
    await store.delete(KEY);
    const claims = await Promise.all(
      Array.from({ length: 20 }, (_, i) => store.claim(KEY, entry(i))),
    );
    assert.equal(claims.filter((claim) => claim === "claimed").length, 1);
    assert.equal(claims.filter((claim) => claim === "taken").length, 19);
    assert.equal(await store.claim(KEY, entry("late")), "taken");
    await store.delete(KEY);
    assert.equal(await store.claim(KEY, entry("again")), "claimed");
    assert.deepEqual(await store.get(KEY), entry("again"));
    await store.delete(KEY);
  });

  await t.step("release() deletes nobody else's entry", async () => {
    assert.equal(await store.claim(KEY, entry("one")), "claimed");
    await store.release(KEY, entry("other"));
    assert.equal(await store.claim(KEY, entry("other")), "taken");
    await store.release(KEY, entry("one"));
    assert.equal(await store.claim(KEY, entry("other")), "claimed");
    await store.release(KEY, entry("one"));
    assert.deepEqual(await store.get(KEY), entry("other"));
    await store.release(KEY, entry("other"));
    await store.release(KEY, entry("other"));
    assert.equal(await store.get(KEY), "absent");
  });

  await t.step("key parts stay apart", async () => {
    const keys: StoreKey[] = [["a", "b", "c"], ["a", "bc"], ["a", "b\0c"]];
    for (const [i, key] of keys.entries()) await store.set(key, entry(i));
    for (const [i, key] of keys.entries()) {
      assert.deepEqual(await store.get(key), entry(i));
    }
    assert.equal(await store.get(["a", "b"]), "absent");
    for (const key of keys) await store.delete(key);
  });

  await t.step(
    "get() is absent from the entry's own staleUntil on",
    async () => {
      const stored = entry("late");
      await store.set(KEY, stored);
      clock.time = stored.staleUntil - 1;
      assert.deepEqual(await store.get(KEY), stored);
      clock.time = stored.staleUntil;
      assert.equal(await store.get(KEY), "absent");
    },
  );

  await t.step(
    "set() of an expired entry deletes the earlier one",
    async () => {
      await store.set(KEY, entry("old"));
      await store.set(KEY, { ...entry("new"), staleUntil: clock.time });
      assert.equal(await store.get(KEY), "absent");
    },
  );
}
