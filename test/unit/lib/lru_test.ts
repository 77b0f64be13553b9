import assert from "node:assert/strict";
import { ExpiringLru } from "../../../src/lib/lru.ts";

Deno.test("an entry is kept for its TTL after it was last set", () => {
  let now = 1000;
  const map = new ExpiringLru<string, number>({
    max: 2,
    ttlMs: 100,
    now: () => now,
  });
  map.set("a", 1);
  now += 60;
  map.set("b", 2);
  assert.equal(map.get("a"), 1);
  now += 41;
  assert.equal(map.get("a"), undefined);
  assert.equal(map.get("b"), 2);
});

Deno.test("the least recently used entry goes when there are too many", () => {
  const map = new ExpiringLru<string, number>({ max: 2, ttlMs: 60_000 });
  map.set("a", 1);
  map.set("b", 2);
  map.get("a");
  map.set("c", 3);
  assert.deepEqual([...map.keys()].sort(), ["a", "c"]);
});

Deno.test("no timer is held for the clock", () => {
  using timers = spyOnTimers();
  const map = new ExpiringLru<string, number>({ max: 2, ttlMs: 60_000 });
  map.set("a", 1);
  assert.equal(map.get("a"), 1);
  assert.equal(timers.started, 0);
});

function spyOnTimers(): Disposable & { readonly started: number } {
  const original = globalThis.setTimeout;
  let started = 0;
  globalThis.setTimeout = ((...args: Parameters<typeof setTimeout>) => {
    started++;
    return original(...args);
  }) as typeof setTimeout;
  return {
    get started() {
      return started;
    },
    [Symbol.dispose]() {
      globalThis.setTimeout = original;
    },
  };
}
