import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import type { RemoteConfig } from "../../../src/daytona/api.ts";
import type { ProxyRole } from "../../../src/daytona/proxy_role.ts";
import { GatewayError } from "../../../src/errors.ts";
import {
  oidcSettings,
  type OidcState,
  RemoteSettings,
} from "../../../src/resolver/remote_settings.ts";
import { configOf } from "../../support/config.ts";
import { fakeClock } from "../../support/fake_clock.ts";

const REMOTE: RemoteConfig = {
  oidc: { issuer: "https://id.test", clientId: "porthole", audience: "api" },
  ssoOidc: null,
  proxyTemplateUrl: "https://{{PORT}}-{{sandboxId}}.preview.test",
  proxyToolboxUrl: null,
  dashboardUrl: null,
};

/** The longest pause between two calls, ms. */
const LONGEST_PAUSE_MS = 10_000;

/** Lets an installation learn from answers in turn, the last of which is repeated; an error is a failure to answer. */
async function learn(
  env: Record<string, string>,
  answers: readonly (RemoteConfig | Error)[],
): Promise<
  { installation: RemoteSettings; warnings: string[]; asked: number }
> {
  const warnings: string[] = [];
  let asked = 0;
  const installation = new RemoteSettings(configOf(env), {
    api: {
      config() {
        const answer = answers[Math.min(asked++, answers.length - 1)];
        return answer instanceof Error || answer === undefined
          ? Promise.reject(answer)
          : Promise.resolve(answer);
      },
    },
    role: () => Promise.resolve("installation"),
    warn: (message, facts = {}) =>
      warnings.push([message, ...Object.values(facts)].join(" | ")),
  });
  using clock = fakeClock();
  let isLearning = true;
  const learned = installation.learn(new AbortController().signal)
    .finally(() => isLearning = false);
  while (isLearning) {
    await turn();
    clock.pass(LONGEST_PAUSE_MS);
  }
  await learned;
  return { installation, warnings, asked };
}

const DOWN = new GatewayError("api_unreachable", "no answer");

Deno.test("RemoteSettings learn what the configuration leaves open, and warn of what prevents it", async () => {
  const { installation, warnings } = await learn({}, [
    DOWN,
    { ...REMOTE, proxyTemplateUrl: null },
    REMOTE,
  ]);
  assert.deepEqual(installation.baseDomains, ["preview.test"]);
  assert.equal(installation.oidc.kind, "on");
  assert.deepEqual(warnings, [
    "the Daytona API cannot be asked yet: check DAYTONA_API_URL | no answer",
    "the API's proxyTemplateUrl names no domain: set PROXY_DOMAIN",
  ]);
});

Deno.test("RemoteSettings warn once of preview links to a domain that is not configured", async () => {
  const other = await learn({ PROXY_DOMAIN: "a.test,b.test:4000" }, [REMOTE]);
  assert.deepEqual(other.warnings, [
    "the API's preview links lead to preview.test, which is not in PROXY_DOMAIN",
  ]);
  assert.equal(other.asked, 1);
  assert.deepEqual(other.installation.baseDomains, ["a.test", "b.test"]);
  for (const PROXY_DOMAIN of ["preview.test:4000", "a.test,preview.test"]) {
    const { warnings } = await learn({ PROXY_DOMAIN }, [REMOTE]);
    assert.deepEqual(warnings, []);
  }
  const untold = { ...REMOTE, proxyTemplateUrl: null };
  const { warnings } = await learn({ PROXY_DOMAIN: "a.test" }, [untold]);
  assert.deepEqual(warnings, []);
});

Deno.test("RemoteSettings warn once of an issuer over plain http that no login can use", async () => {
  const oidc = {
    issuer: "http://dex:5556/dex",
    clientId: "porthole",
    audience: "",
  };
  const { warnings } = await learn({}, [
    { ...REMOTE, oidc, proxyTemplateUrl: null },
    { ...REMOTE, oidc },
  ]);
  const [first, ...rest] = warnings.filter((text) => /OIDC/.test(text));
  assert.match(first ?? "", /OIDC_ALLOW_INSECURE.*http:\/\/dex:5556\/dex$/);
  assert.deepEqual(rest, []);
  const allowed = { OIDC_ALLOW_INSECURE: "true" };
  const local = { ...oidc, issuer: "http://localhost:5556/dex" };
  for (
    const { warnings } of [
      await learn(allowed, [{ ...REMOTE, oidc }]),
      await learn({}, [{ ...REMOTE, oidc: local }]),
    ]
  ) assert.deepEqual(warnings, []);
});

Deno.test("RemoteSettings warn of nothing while the gateway closes", async () => {
  const closing = new AbortController();
  const warnings: string[] = [];
  const installation = new RemoteSettings(configOf({}), {
    api: {
      config() {
        closing.abort();
        return Promise.reject(new GatewayError("api_unreachable", "closing"));
      },
    },
    role: () => Promise.resolve("installation"),
    warn: (message) => warnings.push(message),
  });
  await installation.learn(closing.signal);
  assert.deepEqual(warnings, []);
});

Deno.test("configured settings of the login take precedence over the API's", () => {
  const remote = {
    issuer: "https://id.test",
    clientId: "porthole",
    audience: "api",
  };
  function settingsOf(env: Record<string, string>, told: typeof remote | null) {
    const settings = oidcSettings(configOf(env).oidc, told);
    return settings && [settings.issuer, settings.clientId, settings.audience];
  }
  assert.deepEqual(settingsOf({}, remote), [
    "https://id.test",
    "porthole",
    "api",
  ]);
  const ours = {
    OIDC_DOMAIN: "https://ours.test",
    OIDC_CLIENT_ID: "ours",
    OIDC_AUDIENCE: "our-api",
  };
  const all = ["https://ours.test", "ours", "our-api"];
  assert.deepEqual(settingsOf(ours, remote), all);
  assert.deepEqual(settingsOf(ours, null), all);
  assert.deepEqual(
    settingsOf({ OIDC_CLIENT_ID: "ours" }, { ...remote, audience: "" }),
    ["https://id.test", "ours", undefined],
  );
  assert.equal(settingsOf({ OIDC_CLIENT_ID: "ours" }, null), null);
});

Deno.test("RemoteSettings without a provider turn the login off", async () => {
  const { installation } = await learn({}, [{ ...REMOTE, oidc: null }]);
  assert.deepEqual(installation.oidc, { kind: "off" });
});

Deno.test("RemoteSettings ask an API that is down less and less often", async () => {
  const stepMs = 100;
  const askedAt: number[] = [];
  const closing = new AbortController();
  using clock = fakeClock();
  const learned = new RemoteSettings(configOf({}), {
    role: () => Promise.resolve(undefined),
    api: {
      config() {
        if (askedAt.push(performance.now()) > 10) closing.abort();
        return Promise.reject(DOWN);
      },
    },
    warn() {},
  }).learn(closing.signal);
  while (!closing.signal.aborted) {
    await turn();
    clock.pass(stepMs);
  }
  await learned;
  // Each pause is drawn between one second and a ceiling that doubles up to ten.
  const ceilings = [2000, 4000, 8000, ...Array(7).fill(10_000)];
  for (const [i, ceiling] of ceilings.entries()) {
    const ms = (askedAt[i + 1] ?? NaN) - (askedAt[i] ?? NaN);
    assert(ms >= 1000 && ms < ceiling + stepMs, `${i}: ${ms}`);
  }
});

Deno.test("A9: RemoteSettings follow the API's issuers, and keep what they know while it does not answer", async () => {
  using clock = fakeClock();
  const closing = new AbortController();
  let answer: RemoteConfig | Error = REMOTE;
  const warnings: string[] = [];
  const settings = new RemoteSettings(configOf({ PROXY_DOMAIN: "a.test" }), {
    api: {
      config: () =>
        answer instanceof Error
          ? Promise.reject(answer)
          : Promise.resolve(answer),
    },
    role: () => Promise.resolve("installation"),
    warn: (message) => warnings.push(message),
  });
  const { signal } = closing;
  await settings.learn(signal);
  const followed = settings.follow(signal);
  async function after(ms: number): Promise<OidcState> {
    await turn();
    clock.pass(ms);
    await turn();
    return settings.oidc;
  }
  const before = settings.oidc;
  assert(before.kind === "on" && before.sso === undefined);
  const same = await after(240_000);
  assert(same.kind === "on" && same.settings === before.settings);

  const oidc = {
    issuer: "http://new.test",
    clientId: "porthole",
    audience: "api",
  };
  answer = DOWN;
  assert.equal(await after(240_000), settings.oidc);
  answer = {
    ...REMOTE,
    oidc,
    ssoOidc: { issuer: "https://sso", clientId: "c" },
  };
  const changed = await after(20_000);
  assert(changed.kind === "on");
  assert.equal(changed.settings.issuer, "http://new.test");
  assert.equal(changed.sso?.issuer, "https://sso");
  assert.equal(changed.sso?.audience, undefined);
  answer = { ...REMOTE, oidc: null, ssoOidc: null };
  const kept = await after(240_000);
  assert(kept.kind === "on" && kept.settings === changed.settings);
  assert.equal(kept.sso, undefined);
  assert.deepEqual(warnings.map((text) => text.split(": ")[0]), [
    "the API's preview links lead to preview.test, which is not in PROXY_DOMAIN",
    "the API's identity provider is plain http on another machine",
    "the API names another identity provider",
  ]);
  closing.abort();
  await followed;
});

Deno.test("RemoteSettings that are configured do not follow the API, but for single sign-on", async () => {
  const env = { OIDC_DOMAIN: "https://own.test", OIDC_CLIENT_ID: "own" };
  const ssoOidc = { issuer: "https://sso.test", clientId: "c" };
  const { installation } = await learn(env, [{ ...REMOTE, ssoOidc }]);
  const { oidc } = installation;
  assert(oidc.kind === "on");
  assert.equal(oidc.settings.issuer, "https://own.test");
  assert.equal(oidc.settings.audience, undefined);
  assert.equal(oidc.sso?.issuer, "https://sso.test");

  const same = { ...ssoOidc, issuer: "https://own.test" };
  const { installation: one } = await learn(env, [{
    ...REMOTE,
    ssoOidc: same,
  }]);
  assert(one.oidc.kind === "on" && one.oidc.sso === undefined); // nothing to choose
});

Deno.test("A6: RemoteSettings do not warn of the installation's domain if the gateway is a region's", async () => {
  const warned = async (role: ProxyRole | undefined) => {
    const warnings: string[] = [];
    const settings = new RemoteSettings(configOf({ PROXY_DOMAIN: "eu.test" }), {
      api: { config: () => Promise.resolve(REMOTE) },
      role: () => Promise.resolve(role),
      warn: (message) => warnings.push(message),
    });
    await settings.learn(new AbortController().signal);
    return warnings.length;
  };
  assert.equal(await warned("region"), 0);
  assert.equal(await warned("installation"), 1);
  assert.equal(await warned(undefined), 1);
});

Deno.test("RemoteSettings link the dashboard that the API names, in front of somebody else's Daytona too, and only by http", async () => {
  const hosted = { PROXY_API_KEY: "", DAYTONA_API_KEY: "dtn_0123456789" };
  const links: (string | undefined)[] = [];
  for (const environment of [{}, hosted]) {
    for (
      const dashboardUrl of [
        "https://app.test/dashboard",
        "javascript:alert(1)",
        "/dashboard",
        null,
      ]
    ) {
      const remote = { ...REMOTE, dashboardUrl };
      const { installation } = await learn(
        { ...environment, PROXY_DOMAIN: "preview.test" },
        [remote],
      );
      links.push(installation.dashboardUrl);
    }
  }
  const told = ["https://app.test/dashboard", undefined, undefined, undefined];
  assert.deepEqual(links, [...told, ...told]);
});

Deno.test("RemoteSettings know the issuers of Daytona's own users, also where logins are at the operator's", async () => {
  const hosted = { PROXY_API_KEY: "", DAYTONA_API_KEY: "dtn_0123456789" };
  const oidc = { issuer: "https://id.test", clientId: "c", audience: "a" };
  const ssoOidc = { issuer: "https://sso.test", clientId: "c" };
  for (const environment of [{}, hosted]) {
    const { installation } = await learn(
      { ...environment, PROXY_DOMAIN: "preview.test" },
      [{ ...REMOTE, oidc, ssoOidc }],
    );
    assert.deepEqual(installation.issuers, [oidc.issuer, ssoOidc.issuer]);
  }
});
