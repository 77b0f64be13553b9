import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { Metrics } from "../../../../src/observability/metrics/metrics.ts";
import {
  StatusBoard,
  type StatusEvent,
} from "../../../../src/features/status/board.ts";
import { type FakeClock, fakeClock } from "../../../support/fake_clock.ts";

/** Lets time pass, and whatever that starts go on. */
function passing(clock: FakeClock): (ms: number) => Promise<void> {
  return async (ms) => {
    clock.pass(ms);
    await turn();
  };
}

function setUp() {
  const metrics = new Metrics("1.2.3");
  const state = { looks: [] as boolean[], isBroken: false };
  const board = new StatusBoard({
    render(looks) {
      state.looks.push(looks);
      if (state.isBroken) throw new Error("secret");
      return metrics.render();
    },
    report: () => ({
      sandboxes: [],
      organizations: [],
      runners: [],
      limits: [],
      troubles: [],
    }),
  });
  function watch() {
    const reader = board.watch()?.getReader() ?? assert.fail();
    return {
      async next(): Promise<StatusEvent | undefined> {
        const { value, done } = await reader.read();
        if (done) return undefined;
        const [, data = ""] = /^data: (.*)\n\n$/.exec(
          new TextDecoder().decode(value),
        ) ?? [];
        return JSON.parse(data);
      },
      leave: () => reader.cancel(),
    };
  }
  return { board, state, watch };
}

Deno.test("a watcher is told at once what was seen before, and then each look's point", async () => {
  using clock = fakeClock();
  const pass = passing(clock);
  const { board, state, watch } = setUp();
  await pass(10_000);
  await pass(10_000);
  assert.deepEqual(state.looks, [false, false]);
  const watcher = watch();
  const first = await watcher.next();
  assert.deepEqual([first?.isFirst, first?.points.length], [true, 1]);
  for (const _ of [1, 2]) {
    await pass(2000);
    const event = await watcher.next();
    assert.deepEqual([event?.isFirst, event?.points.length], [false, 1]);
  }
  assert.deepEqual(state.looks, [false, false, true, true]);
  board.close();
  assert.equal(await watcher.next(), undefined);
});

Deno.test("points and counts go back ten minutes", async () => {
  using clock = fakeClock();
  const pass = passing(clock);
  const { board, watch } = setUp();
  for (let i = 0; i < 100; i++) await pass(10_000);
  const event = await watch().next();
  const points = event?.points ?? [];
  assert.equal(points.length, 61);
  const counted = event?.countedMs ?? 0;
  assert(counted >= 600_000 && counted < 670_000, String(counted));
  board.close();
});

Deno.test("a look that fails leaves a gap, and nobody is sent away for it", async () => {
  using clock = fakeClock();
  const pass = passing(clock);
  const { board, state, watch } = setUp();
  await pass(10_000);
  const watcher = watch();
  await watcher.next();
  state.isBroken = true;
  await pass(2000);
  const gap = await watcher.next();
  state.isBroken = false;
  await pass(2000);
  const event = await watcher.next();
  assert.deepEqual([gap?.points.length, event?.points.length], [0, 1]);
  board.close();
});

Deno.test("there are twenty watchers at most, and the place of one who leaves is free", async () => {
  using _ = fakeClock();
  const { board, watch } = setUp();
  const watchers = Array.from({ length: 20 }, watch);
  assert.equal(board.watch(), undefined);
  await watchers[0]?.leave();
  assert.notEqual(board.watch(), undefined);
  board.close();
  assert.equal(board.watch(), undefined);
});

Deno.test("a watcher who takes nothing any more is let go, and comes again by itself", async () => {
  using clock = fakeClock();
  const pass = passing(clock);
  const { board, state } = setUp();
  const stalled = board.watch()?.getReader() ?? assert.fail();
  for (let i = 0; i < 10; i++) await pass(2000);
  assert(state.looks.length < 8, "Nobody watches any more");
  let events = 0;
  while (!(await stalled.read()).done) events++;
  assert(events > 3 && events < 7, String(events));
  board.close();
});
