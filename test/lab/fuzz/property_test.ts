import fc from "fast-check";
import assert from "node:assert/strict";
import { asyncProperty, nowhere, property, unless } from "./property.ts";

const small = property("numbers are small", fc.nat(1000), (n) => {
  if (n > 100) throw new Error(`${n} is not small`);
});

/** A failure's text without the stack trace, which depends on the caller's line. */
function wordsOf(failure: string | undefined): string | undefined {
  return failure?.split("\n    at ", 1)[0];
}

Deno.test("property() reports seed, path and the smallest counterexample of a failure", async () => {
  const { failure, seed } = await small.check({ runs: 100, seed: 7 });
  assert.equal(seed, 7);
  assert.match(failure ?? "", /seed: 7, path: "\d+(:\d+)*"/);
  assert.match(failure ?? "", /Counterexample: \[101\]/);
  assert.match(failure ?? "", /101 is not small/);
  assert.match(
    failure ?? "",
    /\nAgain: deno task fuzz --seed=7 --path=[\d:]+ --only="numbers are small"$/,
  );
});

Deno.test("property() tries the same inputs again with the same seed, and only one with a path", async () => {
  const first = await small.check({ runs: 100, seed: 7 });
  const second = await small.check({ runs: 100, seed: 7 });
  assert.equal(wordsOf(second.failure), wordsOf(first.failure));
  const path = /path: "([\d:]+)"/.exec(first.failure ?? "")?.[1];
  const again = await small.check({ runs: 100, seed: 7, path });
  assert.equal(again.runs, 1);
  assert.match(again.failure ?? "", /Counterexample: \[101\]/);
});

Deno.test("property() holds if nothing throws", async () => {
  const holds = property("numbers are numbers", fc.nat(), () => {});
  const { runs, failure } = await holds.check({ runs: 10 });
  assert.deepEqual({ runs, failure }, { runs: 10, failure: undefined });
});

Deno.test("asyncProperty() ends its world, also after a failure", async () => {
  let ended = 0;
  const fails = asyncProperty("never", fc.nat(), {
    share: 1,
    start: () => ({
      ...nowhere(),
      [Symbol.asyncDispose]: async () => await void ended++,
    }),
    holds: () => Promise.reject(new Error("as expected")),
  });
  assert.match((await fails.check({ runs: 10 })).failure ?? "", /as expected/);
  assert.equal(ended, 1);
});

Deno.test("unless() lets only the allowed error pass as undefined", () => {
  const throws = (error: Error) => () => {
    throw error;
  };
  assert.equal(unless(TypeError, throws(new TypeError())), undefined);
  assert.throws(() => unless(TypeError, throws(new RangeError())), RangeError);
  assert.equal(unless(TypeError, () => 1), 1);
});
