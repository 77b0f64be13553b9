import assert from "node:assert/strict";
import { type Load, measureSources } from "./comparison.ts";
import { lent } from "./contestants.ts";

const SOURCES = ["base", "own", "base again"].map((name) => ({ name }));

/** A load that records what is done to which process: the first of a source is 0, 1 or 2, the second 3, 4 or 5. */
function recorded(failing = NaN) {
  const steps: string[] = [];
  let ports = 0;
  const load: Load = {
    start() {
      const server = lent({ pid: undefined, port: ports++ });
      steps.push(`start ${server.port}`);
      return Promise.resolve({
        ...server,
        [Symbol.asyncDispose]() {
          steps.push(`end ${server.port}`);
          return Promise.resolve();
        },
      });
    },
    warmUp({ port }) {
      steps.push(`warm ${port}`);
      return Promise.resolve();
    },
    round({ port }) {
      steps.push(`${port}`);
      return port === failing
        ? Promise.reject(new Error("Non-2xx"))
        : Promise.resolve({ rate: port });
    },
  };
  return { steps, load };
}

Deno.test("sources have their rounds in turn, forth and back, and then those of their next processes, beginning with another", async () => {
  const { steps, load } = recorded();
  const pace = { processes: 3, rounds: 2 };

  const measured = await measureSources(load, SOURCES, pace);

  assert.deepEqual(
    steps.filter((step) => /^\d/.test(step)),
    [
      ...["0", "1", "2", "2", "1", "0"],
      ...["3", "4", "5", "5", "4", "3"],
      ...["6", "7", "8", "8", "7", "6"],
    ],
  );
  // The second processes begin with the second source, the third ones with the third.
  assert.deepEqual(
    measured.map((processes) => processes.map(([round]) => round?.["rate"])),
    [[0, 5, 7], [1, 3, 8], [2, 4, 6]],
  );
});

Deno.test("processes are warm before the first round of any, and end before the next ones start", async () => {
  const { steps, load } = recorded();

  await measureSources(load, SOURCES.slice(0, 2), { processes: 2, rounds: 1 });

  assert.deepEqual(steps.slice(0, 11), [
    ...["start 0", "warm 0", "start 1", "warm 1", "warm 0", "warm 1"],
    ...["0", "1", "end 1", "end 0", "start 2"],
  ]);
});

Deno.test("a source that fails under the load is named, and no process goes on", async () => {
  const { steps, load } = recorded(1);
  const pace = { processes: 2, rounds: 2 };

  await assert.rejects(
    () => measureSources(load, SOURCES, pace),
    /^Error: own: Non-2xx$/,
  );
  assert.deepEqual(steps.slice(-3), ["end 2", "end 1", "end 0"]);
});
