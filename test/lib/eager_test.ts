import assert from "node:assert/strict";
import { type Eager, run, settled } from "../../src/lib/eager.ts";

function* sum(...parts: (number | Promise<number>)[]): Eager<number> {
  let total = 0;
  for (const part of parts) total += yield* settled(part);
  return total;
}

Deno.test("run() is over at once where all is at hand", () => {
  assert.equal(run(sum(1, 2, 3)), 6);
});

Deno.test("run() waits for what is not", async () => {
  const result = run(sum(1, Promise.resolve(2), Promise.resolve(3)));
  assert(result instanceof Promise);
  assert.equal(await result, 6);
});

Deno.test("run() throws at once what is thrown at once, and rejects with what comes later", async () => {
  const failure = new Error("no");
  function* fail(first: number | Promise<number>): Eager<number> {
    yield* settled(first);
    throw failure;
  }
  assert.throws(() => run(fail(1)), failure);
  await assert.rejects(
    async () => await run(fail(Promise.resolve(1))),
    failure,
  );
});

Deno.test("what is rejected can be caught where it is waited for, and what comes finally does", async () => {
  const steps: string[] = [];
  function* careful(): Eager<string> {
    try {
      yield* settled(Promise.reject(new Error("no")));
      return "yes";
    } catch {
      steps.push("caught");
      return yield* settled(Promise.resolve("maybe"));
    } finally {
      steps.push("finally");
    }
  }
  assert.equal(await run(careful()), "maybe");
  assert.deepEqual(steps, ["caught", "finally"]);
});
