import assert from "node:assert/strict";
import { contrast } from "../../../../src/features/brand/contrast.ts";

Deno.test("contrast() is the ratio of WCAG, whichever color comes first", () => {
  for (
    const [one, other, ratio] of [
      ["#000000", "#ffffff", 21],
      ["#FFFFFF", "#ffffff", 1],
      ["#767676", "#ffffff", 4.54],
      ["#777777", "#ffffff", 4.48],
      ["#2456c9", "#ffffff", 6.46],
      ["#ff0000", "#ffffff", 4],
      ["#0000ff", "#000000", 2.44],
      ["#010101", "#000000", 1.01],
    ] as const
  ) {
    for (const [a, b] of [[one, other], [other, one]] as const) {
      assert.equal(Math.round(contrast(a, b) * 100) / 100, ratio, a + b);
    }
  }
});
