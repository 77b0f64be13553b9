import assert from "node:assert/strict";
import { exitCodeOf, type State } from "../../scripts/doctor/finding.ts";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { startFaultyFront } from "../support/faulty_front.ts";
import { startPatient } from "./doctor_world.ts";

Deno.test("examine() finds nothing wrong in a healthy installation", async () => {
  await using patient = await startPatient();
  const findings = [...(await patient.examine()).values()].flat();

  assert.deepEqual(
    findings.map(({ name, state }) => [name, state]),
    [
      ["configuration", "ok"],
      ["API reachable", "ok"],
      ["service key", "ok"],
      ["region", "ok"],
      ["clock", "ok"],
      ["preview links", "ok"],
      ["toolbox URL", "ok"],
      ["provider discovery", "ok"],
      ["redirect URI", "ok"],
      ["wildcard DNS", "ok"],
      ["certificate", "skipped"],
      ["gateway", "ok"],
      ["shared cache", "ok"],
      ["settings", "ok"],
      ["cache tier", "ok"],
    ],
  );
  assert.equal(exitCodeOf(findings), 0);
});

Deno.test("examine() takes the base domain from the API where none is configured", async () => {
  await using patient = await startPatient();
  const findings = await patient.examine({ env: { PROXY_DOMAIN: "" } });

  const host = `proxy.localhost:${patient.port}`;
  const [uri] = findings.get("redirect URI") ?? [];
  assert.equal(
    uri?.finding,
    `http://${host}/callback is registered with the provider.`,
  );
  assert.equal(findings.get("preview links")?.[0]?.state, "ok");
  assert.equal(findings.get("gateway")?.[0]?.state, "ok");
});

Deno.test("examine() finds each fault, and reports no other failure", async (t) => {
  await using patient = await startPatient();
  const { stack, port } = patient;
  const { api, provider } = stack;
  const host = `proxy.localhost:${port}`;
  await using html = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () =>
      new Response("<!doctype html>", {
        headers: { "content-type": "text/html" },
      }),
  );

  async function step(
    fault: string,
    { expected: [name, state, text, hint], env = {}, ahead = 0 }: {
      readonly expected: readonly [string, State, RegExp, RegExp?];
      readonly env?: Record<string, string>;
      /** Our clock's lead, ms. */
      readonly ahead?: number;
    },
  ): Promise<void> {
    await t.step(fault, async () => {
      const world = { now: () => Date.now() + ahead };
      const findings = await patient.examine({ env, world });
      const found = findings.get(name)?.find((each) => each.state === state);
      assert.match(found?.finding ?? "", text, JSON.stringify([...findings]));
      if (hint !== undefined) assert.match(found?.hint ?? "", hint);
      const failed = [...findings.values()].flat()
        .filter((each) => each.state === "failed").map((each) => each.name);
      assert.deepEqual(failed, state === "failed" ? [name] : []);
    });
  }

  await step("a key that the API does not know", {
    env: { PROXY_API_KEY: "nobodys-key" },
    expected: ["service key", "failed", /does not know the key/],
  });
  await step("a user's key", {
    env: { PROXY_API_KEY: KEYS.user },
    expected: ["service key", "failed", /not as its proxy's/, /user's API key/],
  });
  await step("a base URL that leads to a web page", {
    env: { DAYTONA_API_URL: `http://127.0.0.1:${html.addr.port}` },
    expected: [
      "API reachable",
      "failed",
      /not with a configuration/,
      /\d\/api\.$/,
    ],
  });
  await step("a base URL without /api", {
    env: { DAYTONA_API_URL: api.url.replace(/\/api$/, "") },
    expected: ["API reachable", "failed", /status 404/, /try .*\d\/api\.$/],
  });
  await step("a clock that is ahead", {
    ahead: 10_000,
    expected: ["clock", "warning", / (?:9|1[01]) s ahead/, /NTP/],
  });
  await step("a clock that is far behind", {
    ahead: -120_000,
    expected: ["clock", "failed", / 1(?:19|2[01]) s behind/, /NTP/],
  });
  await step("a cache that cannot be opened", {
    env: { CACHE_URL: "kv:./data/test" },
    expected: ["cache tier", "failed", /does not work: /, /CACHE_URL/],
  });
  await step("no cache", {
    env: { CACHE_URL: "none" },
    expected: ["cache tier", "warning", /lost when its process ends/],
  });
  await step("a cache that ends with the process", {
    env: { CACHE_URL: "kv::memory:" },
    expected: ["cache tier", "warning", /lost when its process ends/],
  });
  await step("an unknown client", {
    env: { OIDC_CLIENT_ID: "stranger" },
    expected: ["redirect URI", "failed", /does not know the client/],
  });
  await step("an audience that the provider does not know", {
    env: { OIDC_AUDIENCE: "nothing" },
    expected: ["redirect URI", "warning", /invalid_target/, /OIDC_AUDIENCE/],
  });
  await step("an issuer that is somebody else", {
    env: { OIDC_DOMAIN: `http://127.0.0.1:${html.addr.port}` },
    expected: [
      "provider discovery",
      "failed",
      /does not serve a discovery document/,
    ],
  });
  const { redirectUris } = provider;
  redirectUris.add(`http://other.localhost:${port}/callback`);
  await step("links of another domain", {
    env: { PROXY_DOMAIN: `other.localhost:${port}` },
    expected: ["preview links", "warning", /not in PROXY_DOMAIN/],
  });
  redirectUris.delete(`http://${host}/callback`);
  await step("a redirect URI that is not registered", {
    expected: [
      "redirect URI",
      "failed",
      /does not accept http:/,
      new RegExp(`Register http://${host}/callback`),
    ],
  });
  redirectUris.add(`http://${host}/callback`);

  provider.rewrite.discovery = (body) => ({ ...body, issuer: "http://other" });
  await step("an issuer that calls itself otherwise", {
    expected: ["provider discovery", "failed", /calls itself http:\/\/other/],
  });
  provider.rewrite.discovery = ({ token_endpoint: _, ...body }) => body;
  await step("a provider without a token endpoint", {
    expected: ["provider discovery", "failed", /lacks token_endpoint/],
  });
  provider.rewrite.discovery = (body) => ({
    ...body,
    code_challenge_methods_supported: ["plain"],
  });
  await step("a provider without PKCE", {
    expected: ["provider discovery", "failed", /PKCE/],
  });
  provider.rewrite.discovery = (body) => ({
    ...body,
    authorization_endpoint: "http://elsewhere.test/auth",
  });
  await step("a public address of the provider that is not used", {
    env: { OIDC_PUBLIC_DOMAIN: "http://id.test" },
    expected: ["provider discovery", "warning", /elsewhere\.test\/auth/],
  });
  delete provider.rewrite.discovery;
  provider.rewrite.jwks = () => ({ keys: [] });
  await step("a provider without keys", {
    expected: [
      "provider discovery",
      "failed",
      /Cannot fetch the provider's keys/,
    ],
  });
  delete provider.rewrite.jwks;

  api.outage = 503;
  await step("an API that is down behind its balancer", {
    expected: ["API reachable", "failed", /status 503/],
  });
  api.outage = undefined;

  const { config } = api.state;
  api.state.config = {
    ...config,
    oidc: { issuer: "", clientId: "", audience: "" },
  };
  await step("no provider", {
    expected: ["provider discovery", "warning", /nobody can log in/],
  });
  api.state.config = {
    ...config,
    proxyTemplateUrl: `https://{{PORT}}-{{sandboxId}}.${host}`,
  };
  await step("links of another scheme", {
    expected: ["preview links", "failed", /are https, but PROXY_PROTOCOL/],
  });
  api.state.config = {
    ...config,
    proxyTemplateUrl: "http://{{PORT}}-{{sandboxId}}.proxy.localhost:1",
  };
  await step("links to another port", {
    expected: ["preview links", "failed", /lead to port 1,/],
  });
  api.state.config = { ...config, proxyToolboxUrl: "http://elsewhere/toolbox" };
  await step("a toolbox URL that leads elsewhere", {
    expected: ["toolbox URL", "warning", /elsewhere/, /\/toolbox if/],
  });
});

Deno.test("examine() carries on without the API, and says what it could not look at", async () => {
  await using patient = await startPatient();
  await patient.stack.api.stop();
  const findings = await patient.examine();

  const [api] = findings.get("API reachable") ?? [];
  assert.equal(api?.state, "failed");
  assert.match(api?.finding ?? "", /nothing listens there/);
  for (const name of ["service key", "clock", "provider discovery"]) {
    assert.equal(findings.get(name)?.[0]?.state, "skipped", name);
  }
  assert.equal(findings.get("gateway")?.[0]?.state, "ok");
  assert.equal(findings.get("cache tier")?.[0]?.state, "ok");
});

Deno.test("examine() finds a cache in front that stores what is private", async () => {
  await using patient = await startPatient();
  await using front = await startFaultyFront(patient.port);
  const env = { PROXY_DOMAIN: `proxy.localhost:${front.port}` };
  async function found() {
    return (await patient.examine({ env })).get("shared cache")?.[0];
  }
  assert.equal((await found())?.state, "ok");
  front.faults = { stores: true };
  const stored = await found();
  assert.equal(stored?.state, "failed");
  assert.match(stored?.finding ?? "", /gave the same one twice/);
  assert.match(stored?.hint ?? "", /Cache-Control: private/);
});

Deno.test("examine() does not wait longer than its deadline", async () => {
  await using patient = await startPatient();
  const deadline = new AbortController();
  const held = Promise.withResolvers<void>();
  patient.stack.api.beforeAnswer = () => {
    deadline.abort(new DOMException("too late", "TimeoutError"));
    return held.promise;
  };
  const findings = await patient.examine({
    world: { deadline: () => deadline.signal },
  });
  held.resolve();

  const [api] = findings.get("API reachable") ?? [];
  assert.match(api?.finding ?? "", /no answer in time/);
  assert.match(api?.hint ?? "", /firewall/);
});

Deno.test("examine() tells every setting that is wrong, and stops there", async () => {
  await using patient = await startPatient();
  const findings = await patient.examine({
    env: { DAYTONA_API_URL: "", PROXY_PORT: "many" },
  });

  const problems = findings.get("configuration") ?? [];
  assert.deepEqual(problems.map(({ finding }) => finding), [
    "DAYTONA_API_URL is not set.",
    'PROXY_PORT is "many".',
  ]);
  assert.deepEqual([...findings.keys()], ["configuration", "all else"]);
  assert.equal(exitCodeOf([...findings.values()].flat()), 2);
  assert.equal(
    patient.stack.api.calls.some(({ operation }) =>
      operation === "isSandboxPublic"
    ),
    false,
  );
});

Deno.test("a check that throws is a finding, and hides no other", async () => {
  await using patient = await startPatient();
  const findings = await patient.examine({
    world: {
      deadline() {
        throw new Error("out of signals");
      },
    },
  });

  assert.deepEqual(findings.get("gateway"), [{
    name: "gateway",
    state: "failed",
    finding: "The check itself failed: out of signals.",
  }]);
  assert.equal(findings.get("wildcard DNS")?.[0]?.state, "ok");
});
