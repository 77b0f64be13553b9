/** Machine tokens made in a browser, whose login counts for pages of the base domain, and what the log tells of them. */
import assert from "node:assert/strict";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { collectLog } from "../../../support/collected_log.ts";
import { BASE, LOCKED, startGateway } from "../../../support/gateway.ts";
import type { LoginGateway } from "../../../support/login_gateway.ts";
import { recordsFile } from "../../../support/records_file.ts";
import { SESSION_SCOPES } from "../../../support/session_scopes.ts";
import { testLoginsInBothWorlds as test } from "../../../support/worlds.ts";
import {
  askApi,
  makeToken,
  MEMBERS,
  startTokenGateway,
} from "./token_gateway.ts";

const WISH = JSON.stringify({
  sandbox: "locked",
  ports: [3000],
  expiresInSec: 60,
});

/** The cookie of alice, who has logged in for a preview. */
async function logIn(gateway: LoginGateway): Promise<string> {
  const browser = gateway.browser();
  const { page: form } = await browser.open(
    gateway.at("3000-locked", "/echo"),
  );
  assert.equal((await browser.logIn(form, "alice")).page.status, 200);
  const request = { method: "GET", crossSite: false };
  return browser.jar.fieldFor(new URL(gateway.at("")), request) ?? "";
}

for (const scope of SESSION_SCOPES) {
  test(`a login makes and ends tokens from pages of the base domain, and from no app's (SESSION_SCOPE=${scope})`, async (start) => {
    await using records = await recordsFile();
    await using gateway = await start({
      ...MEMBERS,
      ...records.environment,
      SESSION_SCOPE: scope,
    });
    const cookie = await logIn(gateway);
    const { host, origin } = new URL(gateway.at(""));
    async function ask(
      method: string,
      path: string,
      headers: Readonly<Record<string, string>>,
    ) {
      return await gateway.send(host, {
        method,
        path: `/api/v1/tokens${path}`,
        headers: { cookie, "content-type": "application/json", ...headers },
        body: method === "POST" ? WISH : undefined,
      });
    }
    const own = { "sec-fetch-site": "same-origin", origin };
    const app = {
      "sec-fetch-site": "same-site",
      origin: gateway.at("3000-locked", ""),
    };
    const made = await ask("POST", "", own);
    assert.equal(made.status, 201, made.body);
    const { id, createdBy } = made.json();
    assert.equal(typeof createdBy, "string");
    const list = "?sandbox=locked";
    const read = { "sec-fetch-site": "same-origin" };
    for (
      const [method, path] of [
        ["POST", ""],
        ["GET", list],
        ["GET", `/${id}`],
        ["DELETE", `/${id}`],
      ] as const
    ) {
      for (const headers of [app, {}]) {
        const answer = await ask(method, path, headers);
        assert.equal(answer.code, "origin_refused", `${method} ${path}`);
        const cors = answer.headers.get("access-control-allow-origin");
        assert.equal(cors, null);
      }
      const stranger = await ask(method, path, {
        ...own,
        cookie: "app=1",
      });
      assert.equal(stranger.code, "login_required", `${method} ${path}`);
    }
    assert.equal(
      (await ask("GET", list, read)).json()["items"] instanceof Array,
      true,
    );
    assert.equal((await ask("GET", `/${id}`, read)).status, 200);
    assert.equal((await ask("DELETE", `/${id}`, own)).status, 204);
  });
}

Deno.test("the log tells of a token that is made, used and ended, by its id and never by its secret", async () => {
  await using log = await collectLog();
  await using gateway = await startTokenGateway(startGateway);
  const { token, id } = await makeToken(gateway, KEYS.user, { note: "CI" });
  const made = await log.next("record made");
  assert.deepEqual([made.kind, made.id, made.sandboxId], [
    "tokens",
    id,
    "locked",
  ]);
  assert.match(String(made.subject), /^key-/);
  await gateway.send(LOCKED, { headers: { "x-porthole-token": token } });
  await gateway.send(LOCKED, { path: `/?porthole_token=${token}` });
  await gateway.send(`3001-locked.${BASE}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  await askApi(gateway, token, { path: `/${id}` });
  await askApi(gateway, KEYS.user, { method: "DELETE", path: `/${id}` });
  const ended = await log.next("record ended");
  assert.deepEqual([ended.id, ended.subject], [id, made.subject]);
  assert.equal((await log.next("grant used")).grant, id);
  assert.equal((await log.next("access refused")).code, "grant_invalid");
  assert.doesNotMatch(JSON.stringify(log.records()), /pp_/);
});
