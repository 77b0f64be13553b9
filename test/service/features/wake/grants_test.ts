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
