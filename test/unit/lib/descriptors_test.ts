import assert from "node:assert/strict";
import {
  areDescriptorsShort,
  keepDescriptors,
  ranOutOfDescriptors,
} from "../../../src/lib/descriptors.ts";
import { fakeClock } from "../../support/fake_clock.ts";

const NONE_LEFT = new Error("Too many open files (os error 24)");

/** Descriptors of which there are so many. */
function setUp(left: number) {
  const told = { left, reports: [] as boolean[] };
  const reserve = keepDescriptors(
    () => {
      if (told.left === 0) throw NONE_LEFT;
      told.left--;
      return { close: () => void told.left++ };
    },
    (isShort) => told.reports.push(isShort),
  );
  return { told, reserve };
}

Deno.test("when descriptors run out, the reserve is given up for whoever is refused, until there are more", () => {
  using clock = fakeClock();
  const { told, reserve } = setUp(32);
  using _ = reserve;
  assert.equal(told.left, 0);
  assert.equal(areDescriptorsShort(), false);
  assert.equal(ranOutOfDescriptors(new Error("refused")), false);
  assert.equal(told.left, 0);

  assert.equal(ranOutOfDescriptors(NONE_LEFT), true);
  assert.equal(
    ranOutOfDescriptors({ toString: () => `Http: ${NONE_LEFT}` }),
    true,
  );
  assert.equal(told.left, 32);
  assert.equal(areDescriptorsShort(), true);
  told.left = 31; // others have taken one
  clock.pass(1000);
  assert.equal(areDescriptorsShort(), true);
  assert.equal(told.left, 31);
  told.left = 40;
  clock.pass(999);
  assert.equal(areDescriptorsShort(), true);
  clock.pass(1);
  assert.equal(areDescriptorsShort(), false);
  assert.equal(told.left, 8);
  assert.deepEqual(told.reports, [true, false]);
});

Deno.test("they are short from the start if there are too few for a reserve", () => {
  using _ = fakeClock();
  const { told, reserve } = setUp(31);
  assert.equal(areDescriptorsShort(), true);
  assert.equal(told.left, 31);
  reserve[Symbol.dispose]();
  assert.equal(areDescriptorsShort(), false);
});

Deno.test("where no reserve can be had, they are short for a moment once they have run out", () => {
  using clock = fakeClock();
  const open = () => {
    throw new Deno.errors.NotCapable("Requires net access");
  };
  using _ = keepDescriptors(open, () => {});
  assert.equal(areDescriptorsShort(), false);
  assert.equal(ranOutOfDescriptors(NONE_LEFT), true);
  assert.equal(areDescriptorsShort(), true);
  clock.pass(1000);
  assert.equal(areDescriptorsShort(), false);
});

Deno.test("without a reserve, a failure is told all the same, and nothing is refused", () => {
  assert.equal(ranOutOfDescriptors(NONE_LEFT), true);
  assert.equal(areDescriptorsShort(), false);
});
