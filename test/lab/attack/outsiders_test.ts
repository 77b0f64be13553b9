import assert from "node:assert/strict";
import { shareOfOthers, ticksOfTree, timesOf } from "./outsiders.ts";

const LINE =
  "42 (a (b) c) S 7 42 42 0 -1 4194560 100 0 0 0 10 20 3 4 20 0 1 0 100 1 1";

Deno.test("a process's line tells its times, and its children's, whatever its name is", () => {
  assert.deepEqual(timesOf(LINE), { pid: 42, parent: 7, ticks: 37 });
  assert.equal(timesOf(""), undefined);
});

Deno.test("a process's time has that of all that it has started, and of nobody else", () => {
  const processes = [
    { pid: 1, parent: 0, ticks: 1000 },
    { pid: 7, parent: 1, ticks: 1 },
    { pid: 42, parent: 7, ticks: 20 },
    { pid: 43, parent: 42, ticks: 300 },
  ];
  assert.equal(ticksOfTree(7, processes), 321);
  assert.equal(ticksOfTree(99, processes), 0);
});

Deno.test("others have taken what was taken, and not by us", () => {
  const before = { byAll: 100, byOurs: 50, total: 1000 };
  const after = { byAll: 180, byOurs: 110, total: 1200 };
  assert.equal(shareOfOthers(before, after), 0.1);
  assert.equal(shareOfOthers(before, { ...before, byOurs: 60 }), 0);
});
