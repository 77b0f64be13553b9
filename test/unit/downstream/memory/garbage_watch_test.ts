import assert from "node:assert/strict";
import { GarbageWatch } from "../../../../src/downstream/memory/garbage_watch.ts";

/** What is left after each collection, for a limit of 160; returns after which uses it was collected. */
function collections(uses: readonly number[], left = Infinity): number[] {
  let used = 0;
  const collectedAt: number[] = [];
  const watch = new GarbageWatch({
    usedBytes: () => used,
    limitBytes: 160,
    collect() {
      collectedAt.push(used);
      used = Math.min(used, left);
    },
  });
  for (const next of uses) {
    used = next;
    watch.tick();
  }
  return collectedAt;
}

Deno.test("below five eighths of the memory, garbage is left to V8", () => {
  assert.deepEqual(collections([10, 50, 99, 10, 99]), []);
});

Deno.test("beyond that, it is collected for each growth by a sixteenth", () => {
  assert.deepEqual(collections([95, 100, 104, 105, 110, 115, 124]), [105, 115]);
});

Deno.test("what a collection has freed may come again", () => {
  assert.deepEqual(collections([95, 110, 99, 100, 110], 95), [110, 110]);
});

Deno.test("a process that is large and does not grow is left alone", () => {
  assert.deepEqual(collections([150, 150, 155, 150, 159]), []);
});

Deno.test("while less than half of the memory is taken, it is looked less often", () => {
  let usedBytes = 79;
  const watch = new GarbageWatch({
    usedBytes: () => usedBytes,
    limitBytes: 160,
    collect() {},
  });
  assert.equal(watch.tick(), 500);
  usedBytes = 80;
  assert.equal(watch.tick(), 200);
});
