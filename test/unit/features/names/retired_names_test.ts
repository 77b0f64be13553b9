import assert from "node:assert/strict";
import { findRetired } from "../../../../src/config/retired.ts";

Deno.test("findRetired() finds what once gave names by label, and says who gives them now", () => {
  const [found, ...others] = findRetired({ NAMES_BY_LABEL: "true" });
  assert.deepEqual([found?.name, others], ["NAMES_BY_LABEL", []]);
  for (const way of ["NAMES=members", "/api/v1/names/", "NAMES_FILE"]) {
    assert(found?.instead.includes(way), way);
  }
});
