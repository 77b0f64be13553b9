import assert from "node:assert/strict";
import { createBackground } from "../../src/lib/background.ts";

Deno.test("Background is settled when all work has ended, well or not, and what came of it too", async () => {
  const background = createBackground();
  await background.settled();
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  background.add(first.promise.then(() => background.add(second.promise)));
  let isSettled = false;
  const settled = background.settled().then(() => isSettled = true);
  first.resolve();
  await first.promise;
  assert(!isSettled);
  second.reject(new Error("failed"));
  await settled;
});
