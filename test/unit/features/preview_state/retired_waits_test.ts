import assert from "node:assert/strict";
import { findRetired } from "../../../../src/config/retired.ts";

Deno.test("findRetired() finds what requests once waited by, and names the route that takes its place", () => {
  const found = findRetired({ WAKE_HOLD_SEC: "20", PORT_HOLD_SEC: "10" });
  assert.deepEqual(found.map(({ name }) => name), [
    "WAKE_HOLD_SEC",
    "PORT_HOLD_SEC",
  ]);
  for (const { instead } of found) {
    assert.match(instead, /GET \/api\/v1\/previews\//);
  }
});
