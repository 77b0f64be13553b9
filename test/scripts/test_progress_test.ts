import assert from "node:assert/strict";
import { TestProgress } from "../../scripts/test_progress.ts";

/** What Deno prints of a run whose tests pass, but for one. */
const PRINTED = [
  "./test/a_test.ts => it is so ... ok (5ms)",
  "------- output -------",
  "something that a test prints",
  "----- output end -----",
  "./test/b_test.ts => it needs a program ... ignored (0ms)",
  "./test/a_test.ts => it is otherwise ... FAILED (7ms)",
  "",
  " ERRORS ",
  "",
  "it is otherwise => ./test/a_test.ts:3:6",
  "error: AssertionError",
  "FAILED | 1 passed | 1 failed | 1 ignored (1s)",
];

Deno.test("of a run of tests, only failures and the end are shown, with how far it is", () => {
  const progress = new TestProgress(20);
  const shown = PRINTED.filter((line) => progress.read(line));
  assert.deepEqual(shown, [PRINTED[5], ...PRINTED.slice(7)]);
  assert.equal(progress.line, "2 of 20 files, 3 tests, 1 failed");
  assert.ok(progress.hasEnded);
  assert.equal(progress.result, "1 passed, 1 failed");
  const good = new TestProgress(20);
  const summary = "ok | 1 passed (2 steps) | 0 failed (1s)";
  assert.deepEqual(
    [...PRINTED.slice(0, 5), summary].filter((line) => good.read(line)),
    [summary],
  );
  assert.equal(good.line, "2 of 20 files, 2 tests");
});

Deno.test("a line of progress that stays comes with every tenth of the files", () => {
  const progress = new TestProgress(30);
  const due: number[] = [];
  for (let nth = 1; nth <= 30; nth++) {
    for (let test = 0; test < 2; test++) {
      progress.read(`./test/${nth}_test.ts => it is so ... ok (5ms)`);
      if (progress.isDue) due.push(nth);
    }
  }
  assert.deepEqual(due, [3, 6, 9, 12, 15, 18, 21, 24, 27, 30]);
});
