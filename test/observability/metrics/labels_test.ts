import assert from "node:assert/strict";
import { createLabelSlots } from "../../../src/observability/metrics/labels.ts";

Deno.test("createLabelSlots() gives every combination a slot of its own", () => {
  const slots = createLabelSlots({ a: ["x", "y"], b: ["1", "2", "3"] });
  assert.equal(slots.count, 12);
  const seen = new Set<number>();
  for (const a of ["x", "y", "other"]) {
    for (const b of ["1", "2", "3", "other"]) {
      const slot = slots.slotOf(a, b);
      assert.equal(slots.textOf(slot), `a="${a}",b="${b}"`);
      assert.equal(slots.isOther(slot), a === "other" || b === "other");
      assert.ok(slot >= 0 && slot < slots.count);
      seen.add(slot);
    }
  }
  assert.equal(seen.size, 12);
});

Deno.test("LabelSlots.slotOf() takes what is not listed, or is missing, for other", () => {
  const slots = createLabelSlots({ a: ["x", "y"] });
  assert.equal(slots.count, 3);
  const other = slots.slotOf("other");
  for (const value of ["z", "", "constructor", "__proto__", undefined]) {
    assert.equal(slots.slotOf(value), other, `${value}`);
  }
  assert.equal(slots.textOf(slots.slotOf("y")), 'a="y"');
});

Deno.test("createLabelSlots() has one slot without labels, which is not other", () => {
  const slots = createLabelSlots({});
  assert.equal(slots.count, 1);
  assert.equal(slots.slotOf(), 0);
  assert.equal(slots.slotOf("x", "y"), 0);
  assert.equal(slots.textOf(0), "");
  assert.equal(slots.isOther(0), false);
});

Deno.test("createLabelSlots() throws for three labels", () => {
  assert.throws(
    () => createLabelSlots({ a: ["x"], b: ["x"], c: ["x"] }),
    TypeError,
  );
});
