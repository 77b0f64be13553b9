/** Shares for whoever logs in with one of some addresses, tested on complete services with logins. */
import assert from "node:assert/strict";
import { collectLog } from "../../../support/collected_log.ts";
import type { Answer } from "../../../support/gateway.ts";
import type { Browser } from "../../../support/login.ts";
import type { LoginGateway } from "../../../support/login_gateway.ts";
import { recordsFile } from "../../../support/records_file.ts";
import { SESSION_SCOPES } from "../../../support/session_scopes.ts";
import { WORLDS } from "../../../support/worlds.ts";
import {
  askApi,
  type MadeShare,
  makeShare,
  MEMBERS,
  OWN_PAGE,
} from "./share_gateway.ts";

/** A browser's press on the page of a share. */
async function pressIn(
  browser: Browser,
  { at, send }: LoginGateway,
  { id, secret }: MadeShare,
): Promise<Answer> {
  const url = new URL(at("", `/s/${id}`));
  const request = { method: "POST", crossSite: false };
  const cookie = browser.jar.fieldFor(url, request);
  const { origin, host, pathname: path } = url;
  return await send(host, {
    method: "POST",
    path,
    headers: { ...OWN_PAGE, origin, ...cookie !== undefined && { cookie } },
    body: JSON.stringify({ secret }),
  });
}

/** Logs in as an answer asks for, and returns to the page of the share. */
async function logInFor(
  browser: Browser,
  gateway: LoginGateway,
  answer: Answer,
  user: string,
): Promise<void> {
  const { loginUrl } = answer.json();
  const { page } = await browser.openAs(user, gateway.at("", String(loginUrl)));
  assert.equal(page.status, 200, page.body);
  assert.match(new URL(page.url).pathname, /^\/s\//);
}

for (const { suffix, memberKey, startLoginGateway } of WORLDS) {
  for (const scope of SESSION_SCOPES) {
    Deno.test(`a share for addresses opens by a login that has verified one, and by no other (${scope})${suffix}`, async () => {
      await using log = await collectLog();
      await using records = await recordsFile();
      await using gateway = await startLoginGateway({
        ...MEMBERS,
        ...records.environment,
        SESSION_SCOPE: scope,
      });
      const { provider } = gateway;
      // Of whom nobody else has ever heard.
      provider.claims.set("mallory", { email_verified: true });
      provider.claims.set("alice", { email_verified: true });
      const share = await makeShare(gateway, memberKey, {
        emails: ["Mallory@Example.test", "bob@example.test"],
      });
      const told = await askApi(gateway, memberKey, { path: `/${share.id}` });
      const emails = ["mallory@example.test", "bob@example.test"];
      assert.deepEqual(told.json()["emails"], emails);

      const browser = gateway.browser();
      const first = await pressIn(browser, gateway, share);
      assert.deepEqual([first.status, first.code], [401, "login_required"]);
      await logInFor(browser, gateway, first, "mallory");
      const pressed = await pressIn(browser, gateway, share);
      assert.equal(pressed.status, 200, pressed.body);
      const { page } = await browser.open(String(pressed.json()["location"]));
      assert.equal(page.status, 200);
      assert.equal(page.url, gateway.at("3000-locked"));
      // That login opens nothing by itself.
      const { page: other } = await browser.open(gateway.at("8000-locked"));
      assert.equal(other.headers.get("x-porthole-error"), "no_access");
      const members = gateway.at("", "/access/locked");
      const { page: view } = await browser.open(members);
      const { page: end } = scope === "host"
        ? { page: view }
        : await browser.logIn(view, "mallory");
      assert.equal(
        end.headers.get("x-porthole-error"),
        scope === "host" ? "not_found" : "no_access",
      );

      const stranger = gateway.browser();
      const asked = await pressIn(stranger, gateway, share);
      await logInFor(stranger, gateway, asked, "alice");
      const refused = await pressIn(stranger, gateway, share);
      assert.deepEqual([refused.status, refused.code], [
        403,
        "share_for_others",
      ]);
      assert.equal(refused.json()["loginUrl"], undefined);
      const { page: button } = await stranger.open(gateway.at("", "/logout"));
      await stranger.submit(button);
      const after = await pressIn(stranger, gateway, share);
      assert.equal(after.code, "login_required");

      provider.claims.set("mallory", { email_verified: false });
      const unverified = gateway.browser();
      await logInFor(
        unverified,
        gateway,
        await pressIn(unverified, gateway, share),
        "mallory",
      );
      const { code } = await pressIn(unverified, gateway, share);
      assert.equal(code, "share_for_others");
      const lines = JSON.stringify(log.records());
      assert.doesNotMatch(lines, /@example/i);
      assert(lines.includes("grant used"));
    });
  }
}

for (const { suffix, memberKey, startLoginGateway } of WORLDS) {
  Deno.test(`a login at the shared sandbox says nothing at the page of its share${suffix}`, async () => {
    await using records = await recordsFile();
    await using gateway = await startLoginGateway({
      ...MEMBERS,
      ...records.environment,
    });
    const share = await makeShare(gateway, memberKey, {
      emails: ["mallory@example.test"],
    });
    const browser = gateway.browser();
    const { page } = await browser.openAs("alice", gateway.at("3000-locked"));
    assert.equal(page.url, gateway.at("3000-locked"));
    const asked = await pressIn(browser, gateway, share);
    assert.deepEqual([asked.status, asked.code], [401, "login_required"]);
  });
}

for (const { suffix, startLoginGateway } of WORLDS) {
  Deno.test(`without shares, no login is for anybody${suffix}`, async () => {
    await using gateway = await startLoginGateway();
    const page = gateway.at("", `/s/${"A".repeat(22)}`);
    const { page: shown } = await gateway.browser().open(
      gateway.at("", `/login?return_to=${encodeURIComponent(page)}`),
    );
    assert.equal(shown.status, 400);
    assert.equal(shown.headers.get("x-porthole-error"), "bad_return_url");
  });
}
