import assert from "node:assert/strict";
import { formatProblems, parseConfig } from "../../../../src/config/config.ts";
import { wakeSettings } from "../../../../src/features/wake/wake_settings.ts";
import {
  HOSTED_REQUIRED,
  problemsOf,
  REQUIRED,
} from "../../../support/config.ts";
import { testSettings } from "../../../support/suites/settings.ts";

const ONE = "2f0e6f0a-6d0b-4b57-9a0c-6f1d7f0f4a11";
const OTHER = "7d3a0b6f-4f58-4a41-8f6f-0c9d1e770b6f";

const OFF = {
  mode: "off",
  perHour: 6,
  byLink: false,
  ofPublic: false,
  keys: [],
};

testSettings("wake", wakeSettings, {
  reads: [
    [{}, OFF],
    [
      { WAKE: "press", WAKE_PER_HOUR: "2" },
      { ...OFF, mode: "press", perHour: 2 },
    ],
    [
      {
        WAKE_LINKS: "true",
        WAKE_PUBLIC: "true",
        WAKE_API_KEYS: `${ONE.toUpperCase()}=dtn_a=b, ${OTHER}=dtn_c`,
      },
      {
        ...OFF,
        byLink: true,
        ofPublic: true,
        keys: [
          { organizationId: ONE, key: "dtn_a=b" },
          { organizationId: OTHER, key: "dtn_c" },
        ],
      },
    ],
  ],
  refuses: {
    WAKE: ["true", "Visit"],
    WAKE_PER_HOUR: ["0", "61"],
    WAKE_LINKS: ["yes"],
    WAKE_PUBLIC: ["yes"],
    WAKE_API_KEYS: [
      "dtn_a",
      "acme=dtn_a",
      `${ONE}=`,
      `${ONE}=a b`,
      `${ONE}=dtn_a,${ONE.toUpperCase()}=dtn_b`,
    ],
  },
});

Deno.test("links and public sandboxes can be started only with a key for that, which a hosted Daytona's gateway has already", () => {
  const WAKE_API_KEYS = `${ONE}=dtn_a`;
  for (const name of ["WAKE_LINKS", "WAKE_PUBLIC"]) {
    const wanted = { WAKE: "press", [name]: "true" };
    assert.deepEqual(problemsOf(wanted), [name]);
    assert.deepEqual(problemsOf({ ...wanted, WAKE_API_KEYS }), []);
    assert.deepEqual(problemsOf({ ...HOSTED_REQUIRED, ...wanted }, {}), []);
  }
  const hosted = { ...HOSTED_REQUIRED, WAKE_API_KEYS };
  assert.deepEqual(problemsOf(hosted, {}), ["WAKE_API_KEYS"]);
});

Deno.test("no problem repeats a key", () => {
  const env = { ...REQUIRED, WAKE_API_KEYS: "acme=hunter2" };
  const result = parseConfig(env, [wakeSettings]);
  assert(!result.ok);
  assert(!formatProblems(result.problems).includes("hunter2"));
});
