/** Whoever has a grant only starts nothing. */
import assert from "node:assert/strict";
import { ORGANIZATION } from "../../../../scripts/stand_in/api_state.ts";
import { BASE, startGateway } from "../../../support/gateway.ts";
import { grantOf, withGrants } from "../../../support/grants.ts";

const GRANTS = withGrants();

Deno.test("a grant starts no sandbox, and shows no button, even where links do", async () => {
  await using gateway = await startGateway({
    WAKE: "visit",
    WAKE_LINKS: "true",
    WAKE_PUBLIC: "true",
    WAKE_API_KEYS: `${ORGANIZATION}=dtn_operator`,
  });
  const { api } = gateway.stack;
  api.sandbox("stopped").public = false;
  GRANTS.grants.set("tg_asleep", grantOf({ sandboxId: "stopped" }));
  const host = `3000-stopped.${BASE}`;
  const page = { accept: "text/html", "sec-fetch-mode": "navigate" };
  const opened = await gateway.send(host, {
    path: "/?porthole_token=tg_asleep",
    headers: page,
  });
  const cookie = opened.headers.get("set-cookie")?.split(";")[0] ?? "";
  for (
    const headers of [
      { "x-porthole-token": "tg_asleep" },
      { authorization: "Bearer tg_asleep" },
      { cookie },
    ] as Record<string, string>[]
  ) {
    const shown = await gateway.send(host, {
      headers: { ...page, "sec-fetch-dest": "document", ...headers },
    });
    assert.equal(shown.code, "sandbox_stopped");
    assert.doesNotMatch(shown.body, /<form/);
    for (const origin of [{}, { origin: `http://${host}` }]) {
      const { status } = await gateway.send(host, {
        method: "POST",
        path: "/porthole-start-sandbox",
        headers: { ...headers, ...origin },
      });
      assert.equal(status, 403);
    }
  }
  assert.equal(api.count("startSandbox"), 0);
});

Deno.test("the session of a share link starts what other links start, if that is wanted, and by its visitor's press only", async () => {
  for (const isWanted of [false, true]) {
    await using gateway = await startGateway({
      WAKE: "visit",
      WAKE_LINKS: String(isWanted),
      WAKE_API_KEYS: `${ORGANIZATION}=dtn_operator`,
    });
    const { api } = gateway.stack;
    // A key of the organization, at an API that knows it.
    api.state.users.set("dtn_operator", new Set(["stopped"]));
    const permissions = ["write:sandboxes"];
    api.state.apiKeys.set("dtn_operator", { permissions });
    api.sandbox("stopped").public = false;
    const share = { isLink: true, id: "shared", sandboxId: "stopped" };
    GRANTS.grants.set("tg_shared", grantOf(share));
    const host = `3000-stopped.${BASE}`;
    const page = { accept: "text/html", "sec-fetch-mode": "navigate" };
    const path = "/?porthole_token=tg_shared";
    const opened = await gateway.send(host, { path, headers: page });
    const cookie = opened.headers.get("set-cookie")?.split(";")[0] ?? "";
    const shown = await gateway.send(host, {
      headers: { ...page, "sec-fetch-dest": "document", cookie },
    });
    assert.equal(shown.code, "sandbox_stopped");
    assert.equal(/<form/.test(shown.body), isWanted);
    assert.equal(api.count("startSandbox"), 0);
    const [, ticket = ""] = /value="([^"]+)"/.exec(shown.body) ?? [];
    const { status } = await gateway.send(host, {
      method: "POST",
      path: "/porthole-start-sandbox",
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        "origin": `http://${host}`,
        cookie,
      },
      body: new URLSearchParams({ ticket }).toString(),
    });
    assert.equal(status, isWanted ? 303 : 403);
    assert.equal(api.count("startSandbox"), isWanted ? 1 : 0);
  }
});
