import assert from "node:assert/strict";
import { settlesWithin } from "../../src/lib/fulfils_within.ts";

const NEVER = new Promise(() => {});

Deno.test("settlesWithin() tells whether a promise fulfils in time, and rejects as it does", async () => {
  assert.equal(await settlesWithin(Promise.resolve(), 10_000), true);
  assert.equal(await settlesWithin(NEVER, 1), false);
  const failure = new Error("no");
  await assert.rejects(settlesWithin(Promise.reject(failure), 10_000), failure);
});

Deno.test("settlesWithin() waits no longer once its signal aborts", async () => {
  const ending = new AbortController();
  const result = settlesWithin(NEVER, 10_000, ending.signal);
  ending.abort();
  assert.equal(await result, false);
  assert.equal(await settlesWithin(NEVER, 10_000, ending.signal), false);
});
