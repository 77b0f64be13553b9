import assert from "node:assert/strict";
import { listenForEnd } from "../../../src/server/signals.ts";
import { fakeClock } from "../../support/fake_clock.ts";
import { fakeSignals } from "../../support/signals.ts";

async function secondAfter(
  first: "SIGINT" | "SIGTERM",
  again: "SIGINT" | "SIGTERM",
  passedMs: number,
): Promise<string | undefined> {
  using clock = fakeClock();
  const { addSignalListener, send } = fakeSignals();
  const ends = listenForEnd(addSignalListener);
  send(first);
  assert.equal(await ends.first, first);
  clock.pass(passedMs);
  send(again);
  return await Promise.race([ends.second, Promise.resolve(undefined)]);
}

Deno.test("a signal is the second one if it comes 250 ms later or differs from the first", async () => {
  assert.equal(await secondAfter("SIGINT", "SIGINT", 250), "SIGINT");
  assert.equal(await secondAfter("SIGTERM", "SIGINT", 0), "SIGINT");
});

Deno.test("the echo of a Ctrl+C by a task runner is no second signal", async () => {
  assert.equal(await secondAfter("SIGINT", "SIGINT", 249), undefined);
});
