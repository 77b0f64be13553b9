/** What holds of all features together, and no more where a folder is deleted. */
import assert from "node:assert/strict";
import { FEATURES } from "../../src/modules.ts";

Deno.test("whatever a feature comes before is a feature", () => {
  const names = new Set(FEATURES.map(({ name }) => name));
  const pairs = FEATURES.flatMap(({ name, before = {} }) =>
    Object.keys(before).map((other) => ({ name, other }))
  );
  const toNobody = pairs.filter(({ other }) => !names.has(other))
    .map(({ name, other }) => `${name} comes before ${other}, which is none`);
  assert.deepEqual(toNobody, []);
  assert(pairs.length > 0);
});
