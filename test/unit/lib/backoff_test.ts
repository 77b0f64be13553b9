import assert from "node:assert/strict";
import { backoffMs, retry, sleep } from "../../../src/lib/backoff.ts";

const BOUNDS = { tries: 5, baseMs: 150, maxMs: 1000 };

function awake(): Promise<void> {
  return Promise.resolve();
}

Deno.test("backoffMs() doubles its ceiling up to the longest delay", () => {
  const longest = [1, 2, 3, 4, 2000].map((failed) =>
    backoffMs(failed, BOUNDS, () => 1)
  );
  assert.deepEqual(longest, [300, 600, 1000, 1000, 1000]);
});

Deno.test("backoffMs() never goes below the shortest delay", () => {
  for (const failed of [1, 2, 3, 4]) {
    assert.equal(backoffMs(failed, BOUNDS, () => 0), 150);
  }
});

Deno.test("retry() resolves with the first success", async () => {
  const attempts: number[] = [];
  const waits: number[] = [];
  const value = await retry((attempt) => {
    attempts.push(attempt);
    return attempt < 3
      ? Promise.reject(new Error(`${attempt}`))
      : Promise.resolve("done");
  }, {
    ...BOUNDS,
    sleep: (ms) => {
      waits.push(ms);
      return Promise.resolve();
    },
  });
  assert.equal(value, "done");
  assert.deepEqual(attempts, [1, 2, 3]);
  assert.deepEqual(waits.map((ms) => ms >= 150 && ms <= 600), [true, true]);
});

Deno.test("retry() throws the last failure once the tries are used up", async () => {
  let calls = 0;
  await assert.rejects(
    retry((attempt) => {
      calls++;
      return Promise.reject(new Error(`failure ${attempt}`));
    }, { ...BOUNDS, sleep: awake }),
    /failure 5/,
  );
  assert.equal(calls, 5);
});

Deno.test("retry() stops at a failure that is not retryable", async () => {
  const failures = [new TypeError("transient"), new RangeError("final")];
  let calls = 0;
  await assert.rejects(
    retry(() => Promise.reject(failures[calls++]), {
      ...BOUNDS,
      retryable: (error) => error instanceof TypeError,
      sleep: awake,
    }),
    /final/,
  );
  assert.equal(calls, 2);
});

Deno.test("retry() ends with the rejection of its sleep", async () => {
  await assert.rejects(
    retry(() => Promise.reject(new Error("failure")), {
      ...BOUNDS,
      sleep: () => Promise.reject(new Error("aborted")),
    }),
    /aborted/,
  );
});

Deno.test("sleep() rejects when its signal aborts", async () => {
  const controller = new AbortController();
  const sleeping = sleep(60_000, controller.signal);
  controller.abort();
  await assert.rejects(sleeping, { name: "AbortError" });
});
