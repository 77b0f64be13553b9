import assert from "node:assert/strict";
import { lent } from "./contestants.ts";
import type { Drive } from "./drive.ts";
import { measureRounds, underSame } from "./rounds.ts";
import type { Contestant, World } from "./world.ts";

const CONTESTANTS: readonly Contestant[] = ["gateway", "other"].map((name) => ({
  name,
  warmUpSec: 0,
  start: () => Promise.reject(new Error("It is warm already")),
}));

/** The port of each process is ten times its number, and the place of its contestant. */
function worldOf(isQuick: boolean): Pick<World, "isQuick" | "warm"> {
  return {
    isQuick,
    warm(contestant, _drive, process = 0) {
      const port = 10 * process + CONTESTANTS.indexOf(contestant);
      return Promise.resolve(lent({ pid: undefined, port }));
    },
  };
}

/** Measures both; returns the ports of all load, and the rows. */
async function measured(isQuick: boolean) {
  const loads: number[] = [];
  const drive: Drive = ({ port }) => {
    const at = loads.push(port) - 1;
    return Promise.resolve({ count: 1, reading: { rate: port, at } });
  };
  const entrants = underSame(drive, CONTESTANTS);
  const rows = await measureRounds(worldOf(isQuick), entrants);
  return { loads, rows };
}

Deno.test("contestants have their rounds in turn, in one process after the other", async () => {
  const { rows } = await measured(false);
  assert.deepEqual(
    rows.map(({ contestant, rounds }) => [
      contestant,
      rounds.map(({ rate }) => rate),
    ]),
    [["gateway", [0, 0, 10, 10, 20, 20]], ["other", [1, 1, 11, 11, 21, 21]]],
  );
});

Deno.test("load of its own comes before each round, and does not count", async () => {
  const { loads, rows } = await measured(false);
  const counted = rows.flatMap(({ rounds }) => rounds.map(({ at }) => at ?? 0));
  assert.deepEqual(
    counted.toSorted((one, other) => one - other),
    [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23],
  );
  assert.deepEqual(
    counted.map((at) => loads[at - 1]),
    counted.map((at) => loads[at]),
  );
});

Deno.test("a quick run measures one process of each, without load that does not count", async () => {
  const { loads, rows } = await measured(true);
  assert.deepEqual(rows.map(({ rounds }) => rounds.length), [2, 2]);
  assert.equal(loads.length, 4);
});
