import assert from "node:assert/strict";
import { limitWarnings } from "../../../src/config/limit_warnings.ts";
import { configOf } from "../../support/config.ts";

Deno.test("limitWarnings() has nothing to say about the defaults, whatever the limit of the process", () => {
  for (const total of ["", "100", "400", "1000", "4000", "100000"]) {
    const config = configOf({ MAX_CONCURRENT_EXCHANGES: total });
    assert.deepEqual(limitWarnings(config), []);
  }
});

Deno.test("limitWarnings() names who can take all, and by which setting", () => {
  for (
    const [name, value, who] of [
      ["MAX_EXCHANGES_PER_SANDBOX", "400", "one sandbox"],
      ["MAX_EXCHANGES_PER_SANDBOX", "399", undefined],
      ["MAX_EXCHANGES_PER_CLIENT", "400", "one client"],
      ["MAX_EXCHANGES_PER_CLIENT", "134", "three clients"],
      ["MAX_EXCHANGES_PER_CLIENT", "133", undefined],
      ["MAX_WAITING_PER_RUNNER", "500", "one runner"],
      ["MAX_WAITING_PER_RUNNER", "399", undefined],
    ] as const
  ) {
    const config = configOf({ MAX_CONCURRENT_EXCHANGES: "400", [name]: value });
    assert.deepEqual(
      limitWarnings(config).map(({ finding }) => finding),
      who === undefined ? [] : [
        `${name} is ${value}, so ${who} can take all of MAX_CONCURRENT_EXCHANGES, 400`,
      ],
    );
  }
});

Deno.test("limitWarnings() names whose WebSockets can take all", () => {
  for (
    const [name, value, warning] of [
      [
        "MAX_EXCHANGES_PER_SANDBOX",
        "300",
        "MAX_EXCHANGES_PER_SANDBOX is 300, so the WebSockets of one sandbox can take all of MAX_TUNNELS, 300: lower it, or raise MAX_TUNNELS",
      ],
      ["MAX_EXCHANGES_PER_SANDBOX", "299", undefined],
      [
        "MAX_TUNNELS_PER_CLIENT",
        "300",
        "MAX_TUNNELS_PER_CLIENT is 300, so one client can take all of MAX_TUNNELS, 300: lower it, or leave it unset",
      ],
      ["MAX_TUNNELS_PER_CLIENT", "299", undefined],
    ] as const
  ) {
    const config = configOf({ MAX_TUNNELS: "300", [name]: value });
    const warnings = limitWarnings({
      limits: {
        ...config.limits,
        ...name === "MAX_TUNNELS_PER_CLIENT" && { exchangesPerSandbox: 100 },
      },
    });
    assert.deepEqual(
      warnings.map(({ finding, advice }) => `${finding}: ${advice}`),
      warning === undefined ? [] : [warning],
    );
  }
});
