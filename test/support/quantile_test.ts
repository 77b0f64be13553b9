import assert from "node:assert/strict";
import { quantile } from "./quantile.ts";

Deno.test("quantile() is a value that was measured, of the nearest rank", () => {
  const values = Array.from({ length: 200 }, (_, index) => 200 - index);

  assert.deepEqual(
    [0, 0.5, 0.99, 1].map((share) => quantile(values, share)),
    [1, 100, 198, 200],
  );
  assert.equal(quantile([3], 0.99), 3);
  assert.equal(quantile([], 0.5), NaN);
});
