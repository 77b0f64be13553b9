import { setImmediate } from "node:timers";
import assert from "node:assert/strict";
import { fulfilsWithin } from "../../../src/lib/fulfils_within.ts";

const NEVER = new Promise(() => {});

Deno.test("fulfilsWithin() resolves to whether a promise fulfils in time, and rejects if the promise does", async () => {
  assert.equal(await fulfilsWithin(Promise.resolve(), 10_000), true);
  assert.equal(await fulfilsWithin(NEVER, 1), false);
  const failure = new Error("no");
  await assert.rejects(fulfilsWithin(Promise.reject(failure), 10_000), failure);
});

Deno.test("fulfilsWithin() takes what has arrived while the thread was too busy to look", async () => {
  for (let nth = 0; nth < 5; nth++) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const result = fulfilsWithin(promise, 1);
    setImmediate(resolve);
    const busyUntil = performance.now() + 5;
    while (performance.now() < busyUntil);
    assert.equal(await result, true);
  }
});

Deno.test("fulfilsWithin() resolves to false when its signal aborts", async () => {
  const ending = new AbortController();
  const result = fulfilsWithin(NEVER, 10_000, ending.signal);
  ending.abort();
  assert.equal(await result, false);
  assert.equal(await fulfilsWithin(NEVER, 10_000, ending.signal), false);
});
