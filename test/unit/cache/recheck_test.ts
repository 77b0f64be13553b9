import assert from "node:assert/strict";
import { isCheckedLately } from "../../../src/cache/recheck.ts";

const NOW = 1_700_000_000_000;

Deno.test("isCheckedLately() trusts an unwatched copy for 5 s, and an hour that was set back not at all", () => {
  assert.equal(isCheckedLately({ recheckAt: NOW + 5_000 }, NOW), true);
  assert.equal(isCheckedLately({ recheckAt: NOW + 1, watch: null }, NOW), true);
  assert.equal(isCheckedLately({ recheckAt: NOW }, NOW), false);
  assert.equal(isCheckedLately({ recheckAt: NOW + 3_600_000 }, NOW), false);
});

Deno.test("isCheckedLately() trusts a watched copy for 60 s, if all changes but those of the last 5 s were told", () => {
  let heardMs = 5_000;
  const watch = { heardWithin: (ms: number) => heardMs <= ms };
  const readAt = (time: number) => ({ recheckAt: time + 5_000, watch });
  assert.equal(isCheckedLately(readAt(NOW - 59_999), NOW), true);
  assert.equal(isCheckedLately(readAt(NOW - 60_000), NOW), false);
  assert.equal(isCheckedLately(readAt(NOW + 3_600_000), NOW), false);
  heardMs = 5_001;
  assert.equal(isCheckedLately(readAt(NOW - 59_999), NOW), false);
  assert.equal(isCheckedLately(readAt(NOW - 4_999), NOW), true);
});

Deno.test("isCheckedLately() trusts a copy of what nobody else changes", () => {
  assert.equal(isCheckedLately({ recheckAt: Infinity }, NOW + 1e12), true);
});
