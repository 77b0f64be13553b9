/** What the doctor finds in front of a Daytona that somebody else runs. */
import assert from "node:assert/strict";
import { exitCodeOf } from "../../scripts/doctor/finding.ts";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { startHostedPatient } from "./doctor_world.ts";

Deno.test("examine() knows what matters in front of somebody else's Daytona, and does not ask for what does not", async () => {
  await using patient = await startHostedPatient();
  const findings = [...(await patient.examine()).values()].flat();
  assert.deepEqual(
    findings.map(({ name, state }) => [name, state]),
    [
      ["configuration", "ok"],
      ["API reachable", "ok"],
      ["organization key", "ok"],
      ["Daytona's proxy", "ok"],
      ["clock", "ok"],
      ["provider discovery", "warning"],
      ["wildcard DNS", "ok"],
      ["certificate", "skipped"],
      ["gateway", "ok"],
      ["shared cache", "ok"],
      ["settings", "ok"],
      ["cache tier", "warning"],
    ],
    JSON.stringify(findings),
  );
  assert.equal(exitCodeOf(findings), 0);
  const login = findings.find(({ name }) => name === "provider discovery");
  assert.match(JSON.stringify(login), /a provider of yours, and LOGIN_ALLOW/);
});

Deno.test("examine() tells a proxy's key and an unknown one from an organization's", async () => {
  await using patient = await startHostedPatient();
  for (
    const [DAYTONA_API_KEY, words] of [
      [KEYS.service, /not as an organization's/],
      ["dtn_nobodys", /does not know the key/],
    ] as const
  ) {
    const findings = await patient.examine({ env: { DAYTONA_API_KEY } });
    const [finding] = findings.get("organization key") ?? [];
    assert.equal(finding?.state, "failed");
    assert.match(finding.finding, words);
  }
});

Deno.test("examine() says that Daytona's proxy cannot be reached, or is not named", async () => {
  await using patient = await startHostedPatient();
  const { config } = patient.stack.api.state;
  config.proxyTemplateUrl = "http://{{PORT}}-{{sandboxId}}.127.0.0.1:1";
  const unreachable = await patient.examine();
  assert.equal(unreachable.get("Daytona's proxy")?.[0]?.state, "failed");
  config.proxyTemplateUrl = "";
  const unnamed = await patient.examine();
  assert.equal(unnamed.get("Daytona's proxy")?.[0]?.state, "warning");
});
