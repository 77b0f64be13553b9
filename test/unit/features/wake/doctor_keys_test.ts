/** What the doctor finds about the keys by which sandboxes start. */
import assert from "node:assert/strict";
import {
  makeOlder,
  ORGANIZATION,
} from "../../../../scripts/stand_in/api_state.ts";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import {
  type Patient,
  startHostedPatient,
  startPatient,
} from "../../../scripts/doctor_world.ts";

const OTHER = "7d3a0b6f-4f58-4a41-8f6f-0c9d1e770b6f";

async function statesOf(
  patient: Patient,
  env: Readonly<Record<string, string>>,
): Promise<string[] | undefined> {
  const findings = await patient.examine({ env });
  return findings.get("starting sandboxes")?.map(({ state, finding }) => {
    assert.doesNotMatch(finding, /dtn_|demo-key/, "no key is printed");
    return `${state}: ${finding}`;
  });
}

Deno.test("examine() tries each key of WAKE_API_KEYS, and tells whether it may start sandboxes", async () => {
  await using patient = await startPatient();
  const { api } = patient.stack;
  assert.equal(await statesOf(patient, {}), undefined);
  assert.equal(await statesOf(patient, { WAKE: "press" }), undefined);
  const env = {
    WAKE: "press",
    WAKE_LINKS: "true",
    WAKE_API_KEYS: `${ORGANIZATION}=${KEYS.user},${OTHER}=dtn_nobodys`,
  };
  const unknown =
    `failed: The key of WAKE_API_KEYS for ${OTHER} is no API key of a user (status 401).`;
  api.state.apiKeys.set(KEYS.user, { permissions: ["write:sandboxes"] });
  assert.deepEqual(await statesOf(patient, env), [
    `ok: The key of WAKE_API_KEYS for ${ORGANIZATION} may start sandboxes.`,
    unknown,
  ]);
  api.state.apiKeys.set(KEYS.user, { permissions: [] });
  assert.deepEqual(await statesOf(patient, env), [
    `failed: The key of WAKE_API_KEYS for ${ORGANIZATION} may not start sandboxes.`,
    unknown,
  ]);
});

Deno.test("examine() finds a key of WAKE_API_KEYS that is of another organization, which an older API tells by its sandboxes", async () => {
  await using patient = await startPatient();
  const { api } = patient.stack;
  api.state.apiKeys.set(KEYS.user, {
    permissions: ["write:sandboxes"],
    organizationId: ORGANIZATION,
  });
  const env = {
    WAKE: "press",
    WAKE_LINKS: "true",
    WAKE_API_KEYS: `${OTHER}=${KEYS.user}`,
  };
  const expected = [
    `failed: The key of WAKE_API_KEYS for ${OTHER} is of another organization, ${ORGANIZATION}.`,
  ];
  assert.deepEqual(await statesOf(patient, env), expected);
  makeOlder(api.state);
  assert.deepEqual(await statesOf(patient, env), expected);
  api.state.users.set(KEYS.user, new Set());
  assert.deepEqual(await statesOf(patient, env), [
    `ok: The key of WAKE_API_KEYS for ${OTHER} may start sandboxes.`,
  ]);
});

Deno.test("examine() tries the organization's key in front of somebody else's Daytona", async () => {
  await using patient = await startHostedPatient();
  const [found] = await statesOf(patient, { WAKE: "visit" }) ?? [];
  assert.equal(found, "ok: DAYTONA_API_KEY may start sandboxes.");
});
