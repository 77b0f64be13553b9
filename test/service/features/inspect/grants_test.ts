/** A grant opens a preview, and nothing of its owner's. */
import assert from "node:assert/strict";
import { BASE, startGateway } from "../../../support/gateway.ts";
import { grantOf, withGrants } from "../../../support/grants.ts";

const GRANTS = withGrants();

Deno.test("no grant opens the owner's view, and the API never sees one", async () => {
  await using gateway = await startGateway();
  GRANTS.grants.set("tg_good", grantOf());
  for (const resource of ["", "/events"]) {
    for (
      const [query, headers] of [
        ["", { "x-porthole-token": "tg_good" }],
        ["?porthole_token=tg_good", {}],
        ["", { authorization: "Bearer tg_good" }],
      ] as [string, Record<string, string>][]
    ) {
      const path = `/inspect/locked${resource}${query}`;
      const answer = await gateway.send(BASE, { path, headers });
      assert.deepEqual([answer.status, answer.code], [401, "login_required"]);
    }
  }
  assert.equal(gateway.stack.api.count("hasSandboxAccess"), 0);
  assert.deepEqual(GRANTS.asked, []);
});
