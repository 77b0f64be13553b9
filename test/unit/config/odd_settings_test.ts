import assert from "node:assert/strict";
import { oddSettings } from "../../../src/config/odd_settings.ts";
import { configOf, HOSTED_REQUIRED } from "../../support/config.ts";

function oddOf(env: Readonly<Record<string, string>>): string[] {
  return oddSettings(configOf(env)).map(({ finding, advice }) =>
    `${finding}: ${advice}`
  );
}

Deno.test("oddSettings() has nothing to say about the defaults, or of what lies just within", () => {
  for (
    const env of [
      {},
      { DAYTONA_API_URL: "", PROXY_API_KEY: "", ...HOSTED_REQUIRED },
      { MAX_EXCHANGES_PER_ORGANIZATION: "100" },
      { SHUTDOWN_DELAY_SEC: "20", SHUTDOWN_TIMEOUT_SEC: "20" },
      { BUFFER_BUDGET_BYTES: "1048576", MAX_MESSAGE_BYTES: "786432" },
      { BUFFER_BUDGET_BYTES: "1048576" },
      { TRUSTED_PROXIES: "10.0.0.0/8,::1" },
    ]
  ) assert.deepEqual(oddOf(env), []);
});

for (const mib of [256, 512, 2048]) {
  Deno.test(`oddSettings() has nothing to say about the settings for ${mib} MiB`, async () => {
    const path =
      `scripts/deploy/kubernetes/components/memory-${mib}/kustomization.yaml`;
    const literals = (await Deno.readTextFile(path))
      .matchAll(/- ([A-Z_]+)=(.+)/g);
    const env = Object.fromEntries(
      [...literals].map(([, name = "", value = ""]) => [name, value]),
    );
    assert(env.MAX_CONCURRENT_EXCHANGES !== undefined);
    assert.deepEqual(oddOf(env), []);
  });
}

Deno.test("oddSettings() names what follows from an odd setting, and what to do", () => {
  for (
    const [env, expected] of [
      [
        { TRUSTED_PROXIES: "10.0.0.1,0.0.0.0/0" },
        "TRUSTED_PROXIES contains 0.0.0.0/0, so any client can claim any address: list only the addresses of your load balancers",
      ],
      [
        { TRUSTED_PROXIES: "::/0" },
        "TRUSTED_PROXIES contains ::/0, so any client can claim any address: list only the addresses of your load balancers",
      ],
      [
        { SHUTDOWN_DELAY_SEC: "60", SHUTDOWN_TIMEOUT_SEC: "20" },
        "SHUTDOWN_DELAY_SEC is 60, more than SHUTDOWN_TIMEOUT_SEC, 20, so a stop by SIGTERM takes 60 s, and then ends at once whatever is under way: make the timeout longer than the delay",
      ],
      [
        { BUFFER_BUDGET_BYTES: "1048576", MAX_MESSAGE_BYTES: "786433" },
        "MAX_MESSAGE_BYTES is 786433, more than the three quarters of BUFFER_BUDGET_BYTES, 1048576, that one client may hold, so longer messages than these end their WebSockets: raise the budget, or lower the former to 786432",
      ],
      [
        {
          DAYTONA_API_URL: "",
          PROXY_API_KEY: "",
          ...HOSTED_REQUIRED,
          MAX_EXCHANGES_PER_ORGANIZATION: "100",
        },
        "MAX_EXCHANGES_PER_ORGANIZATION has no effect with DAYTONA_API_KEY, so no organization has a limit: unset it",
      ],
    ] as const
  ) assert.deepEqual(oddOf(env), [expected]);
});
