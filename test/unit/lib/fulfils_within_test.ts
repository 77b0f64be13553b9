import assert from "node:assert/strict";
import { fulfilsWithin } from "../../../src/lib/fulfils_within.ts";

const NEVER = new Promise(() => {});

Deno.test("fulfilsWithin() resolves to whether a promise fulfils in time, and rejects if the promise does", async () => {
  assert.equal(await fulfilsWithin(Promise.resolve(), 10_000), true);
  assert.equal(await fulfilsWithin(NEVER, 1), false);
  const failure = new Error("no");
  await assert.rejects(fulfilsWithin(Promise.reject(failure), 10_000), failure);
});

Deno.test("fulfilsWithin() resolves to false when its signal aborts", async () => {
  const ending = new AbortController();
  const result = fulfilsWithin(NEVER, 10_000, ending.signal);
  ending.abort();
  assert.equal(await result, false);
  assert.equal(await fulfilsWithin(NEVER, 10_000, ending.signal), false);
});
