import assert from "node:assert/strict";
import { LabelSlots } from "../../../src/observability/metrics/labels.ts";

Deno.test("LabelSlots gives each combination of values its own slot", () => {
  const slots = new LabelSlots({ a: ["x", "y"], b: ["1", "2", "3"] });
  assert.equal(slots.count, 12);
  const seen = new Set<number>();
  for (const a of ["x", "y", "other"]) {
    for (const b of ["1", "2", "3", "other"]) {
      const slot = slots.slotOf(a, b);
      assert.equal(slots.textOf(slot), `a="${a}",b="${b}"`);
      assert.ok(slot >= 0 && slot < slots.count);
      seen.add(slot);
    }
  }
  assert.equal(seen.size, 12);
  const listed = [...slots.exposed(() => false)].map((slot) =>
    slots.textOf(slot)
  );
  assert.equal(listed.length, 6);
  assert(listed.every((text) => !text.includes("other")));
});

Deno.test("LabelSlots.slotOf() counts unlisted and missing values as other", () => {
  const slots = new LabelSlots({ a: ["x", "y"] });
  assert.equal(slots.count, 3);
  const other = slots.slotOf("other");
  for (const value of ["z", "", "constructor", "__proto__", undefined]) {
    assert.equal(slots.slotOf(value), other, `${value}`);
  }
  assert.equal(slots.textOf(slots.slotOf("y")), 'a="y"');
});

Deno.test("LabelSlots has one slot if there are no labels", () => {
  const slots = new LabelSlots({});
  assert.equal(slots.count, 1);
  assert.equal(slots.slotOf(), 0);
  assert.equal(slots.slotOf("x", "y"), 0);
  assert.equal(slots.textOf(0), "");
  assert.deepEqual([...slots.exposed(() => false)], [0]);
});

Deno.test("LabelSlots throws for three labels", () => {
  assert.throws(
    () => new LabelSlots({ a: ["x"], b: ["x"], c: ["x"] }),
    TypeError,
  );
});
