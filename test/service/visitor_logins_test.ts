/** Logins of people who are no members, where a sandbox's labels let them look: tested on the complete service. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { WebSocket } from "ws";
import { fakeClock } from "../support/fake_clock.ts";
import { startHostedLoginGateway } from "../support/hosted_gateway.ts";
import type { LoginGateway } from "../support/login_gateway.ts";
import { SESSION_SCOPES } from "../support/session_scopes.ts";
import { type StartLoginGateway, WORLDS } from "../support/worlds.ts";
import { FEATURES } from "../../src/modules.ts";

/** Whether the route of the state of previews is there, which members may ask. */
const HAS_STATE = FEATURES.some(({ name }) => name === "preview_state");

/** Time between two rechecks, ms. */
const RECHECK_MS = 25_000;

const BY_LABEL = { LOGIN_BY_LABEL: "true" };

type Labels = Readonly<Record<string, string>>;

/** Makes the sandbox `locked` so. */
function make(gateway: LoginGateway, isPublic: boolean, labels: Labels): void {
  const { api } = gateway.stack;
  Object.assign(api.sandbox("locked"), { public: isPublic, labels });
}

/** Logs somebody in, by default mallory, who is no member, for a port of that sandbox; what the browser shows then. */
async function logIn(
  gateway: LoginGateway,
  host = "3000-locked",
  user = "mallory",
) {
  const browser = gateway.browser();
  const url = gateway.at(host, "/echo");
  const { page: form } = await browser.open(url);
  const { page } = form.status === 200
    ? await browser.logIn(form, user)
    : { page: form };
  const told = page.status === 200
    ? "ok"
    : page.headers.get("x-porthole-error");
  return { browser, url, told };
}

/** Starts a gateway whose provider has confirmed mallory's address, or not. */
async function startGateway(
  start: StartLoginGateway,
  settings: Labels = {},
  isVerified = true,
): Promise<LoginGateway> {
  const gateway = await start(settings);
  gateway.provider.claims.set("mallory", {
    email_verified: isVerified,
    groups: ["guests"],
  });
  return gateway;
}

Deno.test("in front of somebody else's Daytona, labels let logins in where no rule lets anybody in", async () => {
  await using gateway = await startHostedLoginGateway("", BY_LABEL);
  make(gateway, false, {
    "porthole.allow": "mallory@example.test",
    "porthole.port.8000": "members",
  });
  assert.equal((await logIn(gateway)).told, "ok");
  assert.equal((await logIn(gateway, "8000-locked")).told, "no_access");
});

for (const { suffix, startLoginGateway: start } of WORLDS) {
  for (const scope of SESSION_SCOPES) {
    Deno.test(`the label login lets any verified login see a public sandbox's port, and no other (SESSION_SCOPE=${scope})${suffix}`, async () => {
      await using gateway = await startGateway(start, { SESSION_SCOPE: scope });
      make(gateway, true, {
        "porthole.port.3000": "login",
        "porthole.port.8000": "members",
      });
      const { browser, url, told } = await logIn(gateway);
      assert.equal(told, "ok");
      const again = await browser.open(url, { follow: false });
      assert.equal(again.page.status, 200);
      const other = gateway.at("8000-locked", "/echo");
      const elsewhere = await browser.open(other, { follow: false });
      assert.equal(elsewhere.page.status, 302, "to log in");
      assert.equal((await logIn(gateway, "8000-locked")).told, "no_access");
    });

    Deno.test(`porthole.allow lets those whom it names see a private sandbox, who are no members (SESSION_SCOPE=${scope})${suffix}`, async () => {
      await using gateway = await startGateway(start, {
        ...BY_LABEL,
        SESSION_SCOPE: scope,
      });
      make(gateway, false, {
        "porthole.allow": "ann@example.com, Mallory@Example.test",
        "porthole.port.8000": "members",
      });
      const { browser, told } = await logIn(gateway);
      assert.equal(told, "ok");
      assert.equal((await logIn(gateway, "8000-locked")).told, "no_access");
      assert.equal((await logIn(gateway, "22222-locked")).told, "no_access");
      // What members may do.
      const base = new URL(gateway.at(""));
      const cookie = browser.cookieAt(base);
      const state = await gateway.send(base.host, {
        path: "/api/v1/previews/locked/3000",
        headers: { cookie, "sec-fetch-site": "same-origin" },
      });
      const code = HAS_STATE ? "not_found" : "route_not_found";
      assert.deepEqual([state.status, state.code], [404, code]);
      const toolbox = await gateway.send(base.host, {
        path: "/toolbox/locked/process/session",
        headers: { cookie },
      });
      assert.notEqual(toolbox.status, 200);
    });
  }

  Deno.test(`without a verified address, no label lets a login in${suffix}`, async () => {
    await using gateway = await startGateway(start, BY_LABEL, false);
    make(gateway, true, {
      "porthole.port.3000": "login",
      "porthole.port.8000": "share",
      "porthole.allow": "mallory@example.test, group:guests",
    });
    for (const host of ["3000-locked", "8000-locked"]) {
      assert.equal((await logIn(gateway, host)).told, "no_access", host);
    }
  });

  Deno.test(`labels let logins in as far as flag, ceiling and operator let them${suffix}`, async () => {
    const login = { "porthole.port.3000": "login" };
    const allow = { "porthole.allow": "@example.test" };
    const cases: [Labels, boolean, Labels, string][] = [
      [{}, false, login, "no_access"],
      [{ PORT_POLICY_OPENS: "true" }, false, login, "ok"],
      [{ PORT_POLICY: "members" }, true, login, "no_access"],
      [{ PORT_POLICY: "login" }, true, {}, "ok"],
      [{}, false, allow, "no_access"],
      [BY_LABEL, false, allow, "ok"],
      [BY_LABEL, false, { "porthole.allow": "group:guests" }, "ok"],
      [BY_LABEL, false, { "porthole.allow": "@acme.com, x, " }, "no_access"],
      [BY_LABEL, false, { ...allow, "porthole.port.*": "share" }, "ok"],
      [BY_LABEL, false, { ...allow, "porthole.port.*": "off" }, "no_access"],
      [{ ...BY_LABEL, PORT_POLICY: "members" }, false, allow, "no_access"],
    ];
    for (const [settings, isPublic, labels, expected] of cases) {
      await using gateway = await startGateway(start, settings);
      make(gateway, isPublic, labels);
      const { told } = await logIn(gateway);
      assert.equal(told, expected, JSON.stringify([settings, labels]));
    }
  });

  Deno.test(`a label that names others takes nothing from members, nor from whom LOGIN_ALLOW names${suffix}`, async () => {
    await using gateway = await startGateway(start, BY_LABEL);
    make(gateway, false, { "porthole.allow": "mallory@example.test" });
    assert.equal((await logIn(gateway, "3000-locked", "alice")).told, "ok");
  });

  Deno.test(`what a visitor has open ends at the recheck once the label no longer names them${suffix}`, async () => {
    using clock = fakeClock();
    await using gateway = await startGateway(start, {
      ...BY_LABEL,
      RUNNER_TTL_SEC: "1",
      PUBLIC_TTL_SEC: "1",
    });
    make(gateway, false, { "porthole.allow": "mallory@example.test" });
    const { browser, url, told } = await logIn(gateway);
    assert.equal(told, "ok");
    const cookie = browser.cookieAt(url);
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/ws`, {
      headers: { host: new URL(url).host, cookie },
    });
    await once(socket, "open");
    const closed = once(socket, "close");
    make(gateway, false, { "porthole.allow": "ann@example.com" });
    clock.pass(RECHECK_MS);
    assert.equal((await closed)[0], 1008);
    const again = await browser.open(url, { follow: false });
    assert.equal(again.page.status, 302, "to log in");
  });
}
