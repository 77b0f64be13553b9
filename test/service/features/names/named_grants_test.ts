/** Sessions of grants that are made at names, tested on the complete service. */
import assert from "node:assert/strict";
import { BASE } from "../../../support/gateway.ts";
import { grantOf, withGrants } from "../../../support/grants.ts";
import { SAFE, testWithNames as test } from "./named_gateway.ts";

const GRANTS = withGrants();

test("the session of a grant's link at a name opens that name alone, wherever its cookie is put", async (start) => {
  await using gateway = await start();
  GRANTS.grants.set("tg_link", grantOf());
  const preview = `3000-locked.${BASE}`;
  for (const [made, other] of [[SAFE, preview], [preview, SAFE]] as const) {
    const link = await gateway.send(made, {
      path: "/echo?porthole_token=tg_link",
      headers: { accept: "text/html", "sec-fetch-mode": "navigate" },
    });
    assert.equal(link.status, 303);
    const [cookie = ""] = link.headers.getSetCookie()[0]?.split(";") ?? [];
    const statusAt = async (host: string) =>
      (await gateway.send(host, { path: "/echo", headers: { cookie } })).status;
    assert.equal(await statusAt(made), 200);
    assert.equal(await statusAt(other), 401);
  }
});
