import assert from "node:assert/strict";
import { examine } from "../../scripts/doctor/examine.ts";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { startPatient, TEST_WORLD } from "./doctor_world.ts";

Deno.test("A6: examine() finds nothing wrong with the proxy of a region, whose domain is not the installation's", async () => {
  await using patient = await startPatient();
  const { stack, env } = patient;
  Object.assign(stack.api.state.config, {
    proxyTemplateUrl: "https://{{PORT}}-{{sandboxId}}.installation.test",
    proxyToolboxUrl: "https://installation.test/toolbox",
  });
  const findings = await examine(
    { ...env, PROXY_API_KEY: KEYS.regionProxy },
    TEST_WORLD,
  );
  const states = Object.groupBy(findings, ({ state }) => state);
  assert.deepEqual(states.failed ?? [], []);
  assert.deepEqual(states.warning ?? [], []);
  const found = findings.filter(({ name }) =>
    name === "region" || name === "preview links"
  );
  assert.deepEqual(found.map(({ state }) => state), ["ok", "ok"]);
  assert.match(found[0]?.finding ?? "", /one region/);
});

Deno.test("examine() names the region of a sandbox, and says if the key does not reach it", async () => {
  await using patient = await startPatient();
  const regionOf = async (key: string, sandboxId = "demo") => {
    const env = { ...patient.env, PROXY_API_KEY: key };
    const findings = await examine(env, TEST_WORLD, sandboxId);
    const { state, finding } = findings.find(({ name }) => name === "region") ??
      assert.fail();
    return [state, finding];
  };
  assert.deepEqual(await regionOf(KEYS.service), [
    "ok",
    "The key is for all regions; demo is in local.",
  ]);
  assert.deepEqual(await regionOf(KEYS.regionProxy), [
    "ok",
    "The key is for the sandboxes of region local only.",
  ]);
  assert.deepEqual(await regionOf(KEYS.otherRegionProxy), [
    "warning",
    "The API tells no runner of demo: status 404.",
  ]);
});

Deno.test("examine() says nothing of regions for a key that is no proxy's", async () => {
  await using patient = await startPatient();
  for (const key of ["nobody-s-key", KEYS.user, KEYS.runner]) {
    for (const sandboxId of [undefined, "demo"]) {
      const env = { ...patient.env, PROXY_API_KEY: key };
      const findings = await examine(env, TEST_WORLD, sandboxId);
      const { state } = findings.find(({ name }) => name === "region") ??
        assert.fail();
      assert.equal(state, "skipped", key);
    }
  }
});

Deno.test("examine() asks for PROXY_DOMAIN if the key is a region's", async () => {
  await using patient = await startPatient();
  const findings = await patient.examine({
    env: { PROXY_API_KEY: KEYS.regionProxy, PROXY_DOMAIN: "" },
  });
  const [links] = findings.get("preview links") ?? [];
  assert.equal(links?.state, "failed");
  assert.match(links?.hint ?? "", /PROXY_DOMAIN/);
});
