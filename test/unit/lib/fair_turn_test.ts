import assert from "node:assert/strict";
import { setImmediate as immediate } from "node:timers/promises";
import { FairTurns } from "../../../src/lib/fair_turn.ts";

/** A clock and an event loop that do only what the test says. */
function setUp() {
  const clock = { ms: 1000 };
  const begun: (() => void)[] = [];
  const turns = new FairTurns(() => clock.ms);
  turns.takeTurn = () => new Promise((resolve) => begun.push(resolve));
  return {
    clock,
    turns,
    begun,
    /** Asks until the clock is looked at, which it is not each time. */
    ask(): Promise<void> | undefined {
      for (let call = 0; call < 3; call++) {
        const waiting = turns.next();
        if (waiting !== undefined) return waiting;
      }
      return turns.next();
    },
    async turn(): Promise<void> {
      for (const resolve of begun.splice(0)) resolve();
      // Those who waited go on in pieces, each with a turn of its own.
      for (let piece = 0; piece < 4; piece++) await immediate();
    },
  };
}

Deno.test("after 4 ms of uninterrupted work a reader waits for a turn of the event loop", async () => {
  const { clock, turns, ask, turn } = setUp();
  clock.ms += 2;
  assert.equal(ask(), undefined);
  clock.ms += 1;
  assert.equal(turns.next(), undefined);
  clock.ms += 1;
  const waiting = turns.next();
  assert(waiting !== undefined);
  await turn();
  await waiting;
  assert.equal(ask(), undefined);
});

Deno.test("a reader that comes after a long calm does not wait: the event loop may have been idle", () => {
  const { clock, ask } = setUp();
  clock.ms += 60_000;
  assert.equal(ask(), undefined);
});

Deno.test("of many readers that wait, those who came first go on in a turn, as many as make 2 ms of work", async () => {
  const { clock, turns, ask, begun, turn } = setUp();
  clock.ms += 2;
  ask();
  clock.ms += 2;
  const wentOn: number[] = [];
  for (let reader = 1; reader <= 12; reader++) {
    void turns.next()?.then(() => {
      wentOn.push(reader);
      clock.ms += 0.25;
    });
  }
  assert.equal(begun.length, 1);
  await turn();
  assert.deepEqual(wentOn, [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.equal(begun.length, 1, "the rest waits for another turn");
  await turn();
  assert.deepEqual(wentOn, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
});

Deno.test("while others wait, nobody goes before them", async () => {
  const { clock, turns, ask, turn } = setUp();
  clock.ms += 2;
  ask();
  clock.ms += 2;
  const wentOn: string[] = [];
  void turns.next()?.then(() => {
    wentOn.push("first");
    void turns.next()?.then(() => wentOn.push("first again"));
  });
  for (const reader of ["second", "third", "fourth", "fifth"]) {
    void turns.next()?.then(() => wentOn.push(reader));
  }
  await turn();
  assert.deepEqual(
    wentOn,
    ["first", "second", "third", "fourth", "fifth", "first again"],
  );
});

Deno.test("a reader that is alone goes on for 2 ms after each turn", async () => {
  const { clock, turns, ask, turn } = setUp();
  clock.ms += 2;
  ask();
  clock.ms += 2;
  let reads = 0;
  const waited: boolean[] = [];
  void turns.next()?.then(() => {
    for (; reads < 3; reads++) {
      waited.push(turns.next() !== undefined);
      clock.ms += 1;
    }
  });
  await turn();
  assert.deepEqual(waited, [false, false, true]);
});

Deno.test("a reader does not wait while the event loop turns by itself", async () => {
  const { clock, ask, turn } = setUp();
  for (let read = 0; read < 100; read++) {
    clock.ms += 1;
    assert.equal(ask(), undefined);
    await turn();
  }
});

Deno.test("within 2 ms a reader costs the event loop nothing", () => {
  const { clock, turns, begun } = setUp();
  clock.ms += 1;
  for (let read = 0; read < 1000; read++) turns.next();
  assert.deepEqual(begun, []);
});
