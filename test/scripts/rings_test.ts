import assert from "node:assert/strict";
import { checksFor } from "../../scripts/rings/changed.ts";
import { nameOf } from "../../scripts/rings/part.ts";
import { NIGHT_TESTS, RINGS } from "../../scripts/rings/rings.ts";
import { runStage } from "../../scripts/rings/run_stage.ts";
import { timesTable } from "../../scripts/rings/times.ts";
import { readDocument, ROOT } from "../support/documents.ts";

const SINCE = "HEAD";
const FOLDERS = ["shares", "wake"]
  .map((name) => `test/service/features/${name}`);

Deno.test("each part of a ring is a task of the project's, and CONTRIBUTING.md has its row if it is in the gate", async () => {
  const { tasks } = JSON.parse(await readDocument("deno.json"));
  const contributing = await readDocument("CONTRIBUTING.md");
  for (const part of Object.values(RINGS).flat(2)) {
    assert.ok(part.task[0] as string in tasks, nameOf(part));
  }
  for (const part of RINGS.ok.flat()) {
    assert.ok(contributing.includes(`\`${nameOf(part)}\``), nameOf(part));
  }
});

Deno.test("what the gate leaves to the night exists, is run at night, and CONTRIBUTING.md says why it may", async () => {
  const night = RINGS.night.flat().flatMap(({ task }) => task);
  const contributing = await readDocument("CONTRIBUTING.md");
  for (const path of NIGHT_TESTS) {
    await Deno.stat(new URL(path, ROOT));
    assert.ok(night.includes(path), path);
    assert.ok(contributing.includes(`\`${path}\``), path);
  }
});

/** The arguments of the tests of a change, and what it leaves out. */
function testsOf(...files: string[]) {
  const { stages, leftOut } = checksFor(files, SINCE, FOLDERS);
  return { args: stages.flat().at(-1)?.task ?? [], leftOut };
}

Deno.test("a change of a feature has its own service tests run, and the rest is named as left out", () => {
  const { args, leftOut } = testsOf(
    "src/features/shares/links.ts",
    "docs/operate.md",
  );
  assert.ok(args.includes("--changed=HEAD"));
  assert.ok(args.includes("test/scripts"));
  assert.ok(args.includes("test/service/features/shares"));
  assert.ok(!args.includes("test/service/features/wake"));
  assert.match(leftOut.join(), /than of test\/service\/features\/shares/);
});

Deno.test("a change outside the features has the service tests run that it touches itself", () => {
  const { args, leftOut } = testsOf(
    "src/proxy/cors.ts",
    "test/service/cors_test.ts",
  );
  assert.ok(args.includes("test/service/cors_test.ts"));
  assert.ok(!args.some((each) => FOLDERS.includes(each)));
  assert.deepEqual(leftOut.slice(0, 2), ["test/service", "test/scripts"]);
});

Deno.test("a part that fails is told with what it printed, and does not hide the one beside it", async () => {
  const shown: string[] = [];
  const outcomes = await runStage(
    [
      { task: ["check:cycles"], finds: "nothing" },
      { task: ["no-such-task"], finds: "nothing" },
    ],
    (text) => shown.push(text),
  );
  assert.deepEqual(outcomes.map(({ passed }) => passed), [true, false]);
  assert.match(shown.join("\n"), /Task not found: no-such-task/);
  assert.match(timesTable(outcomes, 2), /\| `no-such-task` \| \d+ \| nothing/);
});
