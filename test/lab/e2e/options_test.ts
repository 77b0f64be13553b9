import assert from "node:assert/strict";
import { UsageError } from "../../support/options.ts";
import { parse } from "./options.ts";
import type { Scenario } from "./scenario.ts";

const [login, logout] = ["a login", "a logout"].map((name): Scenario => ({
  name,
  run: () => Promise.resolve(),
}));
assert.ok(login !== undefined && logout !== undefined);
const LISTS = { all: [login, logout], short: [login], hosted: [logout] };

Deno.test("e2e runs every scenario in Chromium, unless it is told which in what", () => {
  assert.deepEqual(parse([], LISTS), {
    engines: ["chromium"],
    scenarios: [login, logout],
    hosted: false,
    appOrigin: undefined,
  });
  assert.deepEqual(parse(["--engine", "webkit,firefox", "--short"], LISTS), {
    engines: ["webkit", "firefox"],
    scenarios: [login],
    hosted: false,
    appOrigin: undefined,
  });
  assert.deepEqual(parse(["--hosted"], LISTS), {
    engines: ["chromium"],
    scenarios: [logout],
    hosted: true,
    appOrigin: undefined,
  });
  const { scenarios, appOrigin } = parse(
    ["--only", "logout", "--app-origin", "local"],
    LISTS,
  );
  assert.deepEqual([scenarios, appOrigin], [[logout], "local"]);
});

Deno.test("e2e refuses an engine or a scenario that does not exist", () => {
  for (
    const [error, ...args] of [
      [UsageError, "--engine", "safari"],
      [UsageError, "--only", "download"],
      [TypeError, "--fast"],
    ] as const
  ) assert.throws(() => parse(args, LISTS), error);
});
