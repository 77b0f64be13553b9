import assert from "node:assert/strict";
import { fairTurn, FairTurns } from "../../src/lib/fair_turn.ts";

/** A clock and an event loop that do only what the test says. */
function setUp() {
  const clock = { ms: 1000 };
  const watching: (() => void)[] = [];
  const waiting: (() => void)[] = [];
  const turns = new FairTurns({
    now: () => clock.ms,
    onTurn: (callback) => watching.push(callback),
    onIdle: (callback) => waiting.push(callback),
  });
  const callAll = (callbacks: (() => void)[]) =>
    callbacks.splice(0).forEach((callback) => callback());
  return { clock, turns, watching, waiting, callAll };
}

Deno.test("after 5 ms without a turn of the event loop a reader waits for one", async () => {
  const { clock, turns, watching, waiting, callAll } = setUp();
  clock.ms += 60_000;
  assert.equal(turns.next(), undefined, "it may just have been idle");
  clock.ms += 4;
  assert.equal(turns.next(), undefined);
  clock.ms += 1;
  const turn = turns.next();
  assert(turn !== undefined);
  callAll(waiting);
  callAll(watching);
  await turn;
  assert.equal(turns.next(), undefined);
});

Deno.test("all readers of a thread wait for the same turn", () => {
  const { clock, turns, waiting } = setUp();
  clock.ms += 5;
  turns.next();
  clock.ms += 5;
  const turn = turns.next();
  assert(turn !== undefined);
  assert.equal(turns.next(), turn);
  assert.equal(waiting.length, 1);
});

Deno.test("a reader does not wait while the event loop turns by itself", () => {
  const { clock, turns, watching, callAll } = setUp();
  for (let read = 0; read < 1000; read++) {
    clock.ms += 3;
    assert.equal(turns.next(), undefined);
    callAll(watching);
  }
});

Deno.test("within 5 ms a reader costs the event loop nothing", () => {
  const { clock, turns, watching, waiting } = setUp();
  clock.ms += 4;
  for (let read = 0; read < 1000; read++) turns.next();
  assert.deepEqual([watching, waiting], [[], []]);
});

Deno.test("timers and sockets of others get their turn while a loop of awaits goes on", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  let others = 0;
  const timer = Promise.withResolvers<void>();
  setTimeout(() => timer.resolve(), 0);
  const accepted = Promise.all([
    timer.promise,
    listener.accept(),
    Deno.connect({ hostname: "127.0.0.1", port }),
  ]).then(([, one, other]) => {
    others++;
    one.close();
    other.close();
  });
  while (others === 0) await fairTurn();
  await accepted;
});
