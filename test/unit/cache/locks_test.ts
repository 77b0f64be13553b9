import assert from "node:assert/strict";
import { Locks } from "../../../src/cache/locks.ts";
import type { DurableStore } from "../../../src/cache/store.ts";

/** Two processes, and a store that they share unless it is null. */
function setUp(store: Pick<DurableStore, "claim" | "delete"> | null) {
  const clock = { now: 1000 };
  const options = { store, maxEntries: 10, now: () => clock.now };
  const [one, other] = [
    new Locks("test", options),
    new Locks("test", options),
  ];
  return { clock, one, other };
}

function sharedStore(): Pick<DurableStore, "claim" | "delete"> {
  const taken = new Set<string>();
  return {
    claim(key) {
      const name = key.join(" ");
      if (taken.has(name)) return Promise.resolve("taken");
      taken.add(name);
      return Promise.resolve("claimed");
    },
    delete(key) {
      taken.delete(key.join(" "));
      return Promise.resolve();
    },
  };
}

Deno.test("a lock is whoever's came first at any process, until it is given back", async () => {
  const { one, other } = setUp(sharedStore());
  assert(await one.claim("a", 100));
  assert(!await one.claim("a", 100));
  assert(!await other.claim("a", 100));
  assert(await other.claim("b", 100));
  await one.release("a");
  assert(await other.claim("a", 100));
});

Deno.test("who gives back what has lapsed leaves it to whoever has it by then", async () => {
  const store = sharedStore();
  const { clock, one, other } = setUp(store);
  assert(await one.claim("a", 100));
  clock.now += 101;
  await store.delete(["test", "a"]); // its time is over
  assert(await other.claim("a", 100));
  await one.release("a");
  assert(!await one.claim("a", 100));
  await other.release("a");
  assert(await one.claim("a", 100));
});

Deno.test("without a store, and while one does not tell, each process decides, for as long as it claims", async () => {
  const down: Pick<DurableStore, "claim" | "delete"> = {
    claim: () => Promise.resolve("unavailable"),
    delete: () => Promise.resolve(),
  };
  for (const store of [null, down]) {
    const { clock, one, other } = setUp(store);
    assert(await one.claim("a", 100));
    assert(await other.claim("a", 100));
    clock.now += 99;
    assert(!await one.claim("a", 100));
    clock.now += 2;
    assert(await one.claim("a", 100));
  }
});

Deno.test("what is kept in a process is claimed there only", async () => {
  const { one, other } = setUp(sharedStore());
  one.keep("a", 100);
  assert(one.has("a") && !other.has("a"));
  assert(!await one.claim("a", 100));
  assert(await other.claim("a", 100));
});
