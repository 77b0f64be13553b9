/** `POST /api/v1/previews/{sandbox}/{port}/start`, tested on the complete service. */
import assert from "node:assert/strict";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import type { Browser } from "../../../support/login.ts";
import {
  type LoginGateway,
  startLoginGateway,
} from "../../../support/login_gateway.ts";
import { SESSION_SCOPES } from "../../../support/session_scopes.ts";

const PATH = "/api/v1/previews/locked/3000/start";
const BEARER = { authorization: `Bearer ${KEYS.user}` };

/** A gateway whose sandbox `locked` is stopped, at an API that starts at once. */
async function startAsleep(environment: Record<string, string> = {}) {
  const gateway = await startLoginGateway({ WAKE: "press", ...environment });
  const { api, runner } = gateway.stack;
  api.sandbox("locked").state = "stopped";
  const container = runner.containers.get("locked") ?? assert.fail("none");
  container.started = false;
  api.lifecycle.jobs.startMs = 0;
  const known = api.state.apiKeys.get(KEYS.user);
  const permissions = ["write:sandboxes"];
  api.state.apiKeys.set(KEYS.user, { ...known, permissions });
  return gateway;
}

async function post(
  { at, send }: LoginGateway,
  headers: Readonly<Record<string, string>>,
  path = PATH,
) {
  const { host } = new URL(at(""));
  const { status, code, body } = await send(host, {
    method: "POST",
    path,
    headers: { ...headers, "content-length": "0" },
  });
  return { status, code, outcome: JSON.parse(body).outcome };
}

/** What a page of the base host sends for who has logged in. */
function headersOf({ at }: LoginGateway, { jar }: Browser) {
  const url = new URL(at(""));
  const cookie = jar.fieldFor(url, { method: "POST", crossSite: false });
  return {
    cookie: cookie ?? assert.fail("no cookie"),
    origin: url.origin,
    "sec-fetch-site": "same-origin",
  };
}

Deno.test("a member starts a sandbox with their own bearer, and is told what has come of it", async () => {
  await using gateway = await startAsleep();
  const { api } = gateway.stack;
  const started = await post(gateway, BEARER);
  assert.deepEqual([started.status, started.outcome], [202, "started"]);
  const again = await post(gateway, BEARER);
  assert.deepEqual([again.status, again.outcome], [202, "not_needed"]);
  const calls = api.calls
    .filter(({ operation }) => operation === "startSandbox");
  assert.deepEqual(
    calls.map(({ headers }) => headers.get("authorization")),
    [BEARER.authorization],
  );
});

for (const scope of SESSION_SCOPES) {
  Deno.test(`who has logged in for '${scope}' starts and recovers a sandbox from a page of the base host, and from no other`, async () => {
    await using gateway = await startAsleep({ SESSION_SCOPE: scope });
    const { api } = gateway.stack;
    const browser = gateway.browser();
    await browser.openAs("alice", gateway.at("3000-locked"));
    const own = headersOf(gateway, browser);
    const others = [
      { ...own, origin: gateway.at("3000-locked").slice(0, -1) },
      { ...own, "sec-fetch-site": "same-site" },
    ];
    for (const headers of others) {
      const { status, code } = await post(gateway, headers);
      assert.deepEqual([status, code], [403, "origin_refused"]);
    }
    assert.equal(api.count("startSandbox"), 0);
    assert.equal((await post(gateway, own)).outcome, "started");
    const failed = { state: "error", recoverable: true };
    Object.assign(api.sandbox("locked"), failed);
    assert.equal((await post(gateway, own)).outcome, "started");
    assert.deepEqual(
      [api.count("startSandbox"), api.count("recoverSandbox")],
      [1, 1],
    );
  });
}

Deno.test("nobody else starts anything, whatever opens a preview, nor anybody where the switch is off", async () => {
  await using gateway = await startAsleep({ WAKE_PUBLIC: "false" });
  const token = KEYS.lockedToken;
  for (
    const [headers, status, path] of [
      [{}, 401],
      [{ "x-daytona-preview-token": token }, 401],
      [{ "x-porthole-token": "pp_any" }, 401],
      [{ authorization: `Bearer ${token}` }, 404],
      [BEARER, 404, "/api/v1/previews/nobody/3000/start"],
    ] as const
  ) {
    assert.equal((await post(gateway, headers, path)).status, status);
  }
  await using without = await startAsleep({ WAKE: "off" });
  const off = await post(without, BEARER);
  assert.deepEqual([off.status, off.code], [501, "feature_off"]);
  for (const { stack } of [gateway, without]) {
    assert.equal(stack.api.count("startSandbox"), 0);
  }
});
