import assert from "node:assert/strict";
import { fakeClock, passDuring } from "./fake_clock.ts";

Deno.test("passDuring() lets a pause end, in as many turns as really take that long", async () => {
  using clock = fakeClock();
  let turns = 0;
  const realMs = () => turns++ / 4; // a machine that is fast
  const pause = new Promise<void>((resolve) => setTimeout(resolve, 20));
  await passDuring(clock, pause, realMs);
  assert.equal(Math.floor(turns / 4), 20);
});
