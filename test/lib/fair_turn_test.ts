import assert from "node:assert/strict";
import { FairTurns } from "../../src/lib/fair_turn.ts";

/** A clock and an event loop that do only what the test says. */
function setUp() {
  const clock = { ms: 1000 };
  const begun: (() => void)[] = [];
  const turns = new FairTurns(() => clock.ms);
  turns.takeTurn = () => new Promise((resolve) => begun.push(resolve));
  async function turn(): Promise<void> {
    for (const resolve of begun.splice(0)) resolve();
    await turns.next();
  }
  return { clock, turns, begun, turn };
}

Deno.test("after 2 ms of uninterrupted work a reader waits for a turn of the event loop", async () => {
  const { clock, turns, turn } = setUp();
  clock.ms += 2;
  assert.equal(turns.next(), undefined);
  clock.ms += 1;
  assert.equal(turns.next(), undefined);
  clock.ms += 1;
  const waiting = turns.next();
  assert(waiting !== undefined);
  await turn();
  await waiting;
  assert.equal(turns.next(), undefined);
});

Deno.test("a reader that comes after a long calm does not wait: the event loop may have been idle", () => {
  const { clock, turns } = setUp();
  clock.ms += 60_000;
  assert.equal(turns.next(), undefined);
});

Deno.test("all readers of a thread wait for the same turn", () => {
  const { clock, turns, begun } = setUp();
  clock.ms += 2;
  turns.next();
  clock.ms += 2;
  const waiting = turns.next();
  assert(waiting !== undefined);
  assert.equal(turns.next(), waiting);
  assert.equal(begun.length, 1);
});

Deno.test("a reader does not wait while the event loop turns by itself", async () => {
  const { clock, turns, turn } = setUp();
  for (let read = 0; read < 100; read++) {
    clock.ms += 1;
    assert.equal(turns.next(), undefined);
    await turn();
  }
});

Deno.test("within 2 ms a reader costs the event loop nothing", () => {
  const { clock, turns, begun } = setUp();
  clock.ms += 1;
  for (let read = 0; read < 1000; read++) turns.next();
  assert.deepEqual(begun, []);
});
