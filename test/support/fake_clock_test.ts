import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { fakeClock, passDuring } from "./fake_clock.ts";

Deno.test("passDuring() lets pauses end, and no more time pass than has really passed", async () => {
  const startedAt = performance.now();
  using clock = fakeClock();
  const before = Date.now();
  async function work(): Promise<void> {
    for (let nth = 0; nth < 20; nth++) {
      await readFile(import.meta.filename ?? "");
    }
    await new Promise<void>((resolve) => setTimeout(resolve, 20));
  }
  await passDuring(clock, work());
  const passedMs = Date.now() - before;
  clock[Symbol.dispose]();
  assert.ok(passedMs >= 20);
  assert.ok(passedMs <= performance.now() - startedAt + 1);
});
