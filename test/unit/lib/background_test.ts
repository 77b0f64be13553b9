import assert from "node:assert/strict";
import { Background } from "../../../src/lib/background.ts";

Deno.test("settled() waits for every task, including those that other tasks add", async () => {
  const background = new Background(() => {});
  await background.settled();
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  background.add(
    "first",
    first.promise.then(() => background.add("second", second.promise)),
  );
  let isSettled = false;
  const settled = background.settled().then(() => isSettled = true);
  first.resolve();
  await first.promise;
  assert(!isSettled);
  second.resolve();
  await settled;
});

Deno.test("a task that rejects is reported with its name and the reason", async () => {
  const reported: unknown[][] = [];
  const background = new Background((...failure) => reported.push(failure));
  const reason = new Error("provider is down");
  background.add("works", Promise.resolve());
  background.add("fails", Promise.reject(reason));
  await background.settled();
  assert.deepEqual(reported, [["fails", reason]]);
});
