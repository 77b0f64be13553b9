import assert from "node:assert/strict";
import { limitWarnings } from "../../../src/config/limit_warnings.ts";
import { configOf } from "../../support/config.ts";

Deno.test("limitWarnings() has nothing to say about the defaults, whatever the limit of the process", () => {
  for (const total of ["", "100", "400", "480", "1000", "4000", "100000"]) {
    const config = configOf({ MAX_CONCURRENT_EXCHANGES: total });
    assert.deepEqual(limitWarnings(config), []);
  }
});

/** What is said, in a sentence each. */
function saidOf(env: Readonly<Record<string, string>>): string[] {
  return limitWarnings(configOf(env))
    .map(({ finding, advice }) => `${finding}: ${advice}`);
}

Deno.test("limitWarnings() names of whom three leave less than a fifth, or one nothing, and by which setting", () => {
  for (
    const [name, value, consequence] of [
      ["MAX_EXCHANGES_PER_SANDBOX", "480", "one sandbox can take all"],
      ["MAX_EXCHANGES_PER_SANDBOX", "160", "three sandboxes can take all"],
      ["MAX_EXCHANGES_PER_SANDBOX", "129", "three sandboxes leave only 93"],
      ["MAX_EXCHANGES_PER_SANDBOX", "128", undefined],
      ["MAX_EXCHANGES_PER_CLIENT", "480", "one client can take all"],
      ["MAX_EXCHANGES_PER_CLIENT", "479", "three clients can take all"],
      ["MAX_EXCHANGES_PER_CLIENT", "129", "three clients leave only 93"],
      ["MAX_EXCHANGES_PER_CLIENT", "128", undefined],
      ["MAX_WAITING_PER_RUNNER", "500", "one runner can take all"],
      ["MAX_WAITING_PER_RUNNER", "150", "three runners leave only 30"],
      ["MAX_WAITING_PER_RUNNER", "128", undefined],
    ] as const
  ) {
    assert.deepEqual(
      saidOf({
        MAX_CONCURRENT_EXCHANGES: "480",
        MAX_TUNNELS: "5000",
        [name]: value,
      }),
      consequence === undefined ? [] : [
        `${name} is ${value}, so ${consequence} of MAX_CONCURRENT_EXCHANGES, 480: lower it, or leave it unset`,
      ],
    );
  }
});

Deno.test("limitWarnings() names whose WebSockets leave too few", () => {
  for (
    const [name, value, warning] of [
      [
        "MAX_EXCHANGES_PER_SANDBOX",
        "300",
        "so the WebSockets of one sandbox can take all of MAX_TUNNELS, 300: lower it, or raise MAX_TUNNELS",
      ],
      [
        "MAX_EXCHANGES_PER_SANDBOX",
        "81",
        "so the WebSockets of three sandboxes leave only 57 of MAX_TUNNELS, 300: lower it, or raise MAX_TUNNELS",
      ],
      ["MAX_EXCHANGES_PER_SANDBOX", "80", undefined],
      [
        "MAX_TUNNELS_PER_CLIENT",
        "300",
        "so one client can take all of MAX_TUNNELS, 300: lower it, or leave it unset",
      ],
      [
        "MAX_TUNNELS_PER_CLIENT",
        "100",
        "so three clients can take all of MAX_TUNNELS, 300: lower it, or leave it unset",
      ],
      ["MAX_TUNNELS_PER_CLIENT", "80", undefined],
    ] as const
  ) {
    assert.deepEqual(
      saidOf({ MAX_TUNNELS: "300", [name]: value }),
      warning === undefined ? [] : [`${name} is ${value}, ${warning}`],
    );
  }
});
