import assert from "node:assert/strict";
import { ExpiringLru, Lru } from "../../../src/lib/lru.ts";

/** A map of at most three entries, with `a`, `b` and `c` in that order. */
function three(): Lru<string, number> {
  const map = new Lru<string, number>({ max: 3 });
  for (const [at, key] of [..."abc"].entries()) map.set(key, at + 1);
  return map;
}

Deno.test("Lru forgets what was used least recently, by get or set", () => {
  const map = three();
  assert.equal(map.get("a"), 1);
  map.set("b", 20);
  map.set("d", 4);
  assert.deepEqual([...map.keys()], ["a", "b", "d"]);
  assert.deepEqual([...map.values()], [1, 20, 4]);
  map.set("e", 5);
  assert.deepEqual([...map.keys()], ["b", "d", "e"]);
  assert.equal(map.size, 3);
});

Deno.test("a look at an entry of an Lru does not use it", () => {
  const map = three();
  assert.equal(map.peek("a"), 1);
  assert(map.has("a"));
  map.set("d", 4);
  assert(!map.has("a"));
  assert.equal(map.peek("a"), undefined);
  assert.equal(map.get("a"), undefined);
});

Deno.test("what is deleted of an Lru, at either end and between, leaves the others in order", () => {
  for (const gone of "abc") {
    const map = three();
    assert(map.delete(gone));
    assert(!map.delete(gone));
    const left = [..."abc"].filter((key) => key !== gone);
    assert.deepEqual([...map.keys()], left);
    map.set("d", 4);
    map.set("e", 5);
    assert.deepEqual([...map.keys()], [...left, "d", "e"].slice(-3));
  }
});

Deno.test("an Lru that was cleared is as a new one", () => {
  const map = three();
  map.clear();
  assert.deepEqual([[...map.keys()], map.size], [[], 0]);
  map.set("d", 4);
  assert.equal(map.get("d"), 4);
  assert.deepEqual([...map.keys()], ["d"]);
});

Deno.test("entries of an Lru may be deleted while its keys are gone through", () => {
  const map = three();
  const seen: string[] = [];
  for (const key of map.keys()) {
    seen.push(key);
    map.delete(key);
  }
  assert.deepEqual([seen, map.size], [["a", "b", "c"], 0]);
});

Deno.test("Lru does as a Map that is kept in order by hand, whatever is done to it", () => {
  const map = new Lru<number, number>({ max: 8 });
  const model = new Map<number, number>();
  let seed = 1;
  const random = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  for (let step = 0; step < 20_000; step++) {
    const key = random(16);
    const known = model.get(key);
    switch (random(4)) {
      case 0:
        assert.equal(map.get(key), known);
        if (known !== undefined) {
          model.delete(key);
          model.set(key, known);
        }
        break;
      case 1:
        assert.equal(map.delete(key), model.delete(key));
        break;
      default: {
        map.set(key, step);
        model.delete(key);
        model.set(key, step);
        const [oldest] = model.keys();
        if (model.size > 8 && oldest !== undefined) model.delete(oldest);
      }
    }
    assert.equal(map.size, model.size);
  }
  assert.deepEqual([...map.keys()], [...model.keys()]);
  assert.deepEqual([...map.values()], [...model.values()]);
});

Deno.test("an entry of an ExpiringLru is kept for its TTL after it was last set", () => {
  let now = 1000;
  const map = new ExpiringLru<string, number>({
    max: 3,
    ttlMs: 100,
    now: () => now,
  });
  map.set("a", 1);
  now += 60;
  map.set("b", 2);
  map.set("c", 3, { ttl: 10 });
  map.set("d", 4, { start: now - 70 });
  assert.equal(map.has("a"), false, "there is no room for it");
  now += 31;
  assert.deepEqual([...map.keys()], ["b"]);
  assert.deepEqual([map.get("c"), map.has("d")], [undefined, false]);
  now += 69;
  assert.equal(map.get("b"), 2);
  now += 1;
  assert.equal(map.get("b"), undefined);
  assert.equal(map.has("b"), false);
});
