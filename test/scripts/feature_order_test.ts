/** What holds of all features together, and no more where a folder is deleted. */
import assert from "node:assert/strict";
import { FEATURES } from "../../src/modules.ts";

Deno.test("whatever a feature comes before is a feature", () => {
  const names = new Set(FEATURES.map(({ name }) => name));
  const named = FEATURES.flatMap(({ before = {} }) => Object.keys(before));
  assert.deepEqual(named.filter((name) => !names.has(name)), []);
  assert(named.length > 0);
});
