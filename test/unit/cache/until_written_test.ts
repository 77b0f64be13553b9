import assert from "node:assert/strict";
import { Overtaken, untilWritten } from "../../../src/cache/until_written.ts";

/** Tries a write of which that many attempts are overtaken. */
async function write(overtaken: number) {
  const pauses: number[] = [];
  let attempts = 0;
  const written = untilWritten(
    () => Promise.resolve(++attempts > overtaken ? "written" : undefined),
    (ms) => Promise.resolve(void pauses.push(ms)),
  );
  return { outcome: await written.catch((error) => error), attempts, pauses };
}

Deno.test("a write that others get ahead of is tried again, at once and after pauses that grow, and not for ever", async () => {
  assert.deepEqual(await write(0), {
    outcome: "written",
    attempts: 1,
    pauses: [],
  });
  assert.deepEqual((await write(1)).pauses, []);
  const late = await write(20);
  assert.equal(late.outcome, "written");
  assert.equal(late.pauses.length, 10);
  const never = await write(Infinity);
  assert(never.outcome instanceof Overtaken);
  assert.equal(never.attempts, 32);
  for (const [nth, ms] of never.pauses.entries()) {
    assert(ms >= 1 && ms <= Math.min(200, 2 ** (nth + 1)), `${nth}: ${ms}`);
  }
});

Deno.test("a write that fails is not tried again", async () => {
  let attempts = 0;
  const failing = untilWritten(() => {
    attempts++;
    return Promise.reject(new Error("away"));
  });
  await assert.rejects(failing, /away/);
  assert.equal(attempts, 1);
});
