/** What becomes of requests for a sandbox that was deleted, tested on the complete service. */
import assert from "node:assert/strict";
import { makeOlder } from "../../scripts/stand_in/api_state.ts";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { BASE, LOCKED, startGateway } from "../support/gateway.ts";
import { startLoginGateway } from "../support/login_gateway.ts";
import { skewClock } from "../support/skewed_clock.ts";
import { SESSION_SCOPES } from "../support/session_scopes.ts";

const BEARER = { authorization: `Bearer ${KEYS.user}` };
const TOOLBOX = "/toolbox/locked/version";

Deno.test("a member of its organization learns that a sandbox was deleted, by Daytona's code beside ours", async () => {
  await using gateway = await startGateway();
  gateway.stack.api.sandbox("locked").state = "destroyed";
  for (
    const answer of [
      await gateway.send(BASE, { path: TOOLBOX, headers: BEARER }),
      await gateway.send(LOCKED, { headers: BEARER }),
      await gateway.send(LOCKED, {
        headers: { ...BEARER, cookie: "porthole-session=x" },
      }),
    ]
  ) {
    assert.deepEqual([answer.status, answer.code], [404, "sandbox_deleted"]);
    const { code, portholeCode, source, message } = answer.json();
    assert.deepEqual([code, portholeCode, source], [
      "SANDBOX_DESTROYED",
      "sandbox_deleted",
      "DAYTONA_PROXY",
    ]);
    assert.match(String(message), /^The sandbox was deleted\. /);
  }
  // It is remembered for as long as any refusal.
  assert.equal(gateway.stack.api.count("hasSandboxAccess"), 1);
});

Deno.test("nobody else learns that a sandbox was deleted, and an older API tells nobody", async () => {
  await using gateway = await startGateway();
  const { api } = gateway.stack;
  api.sandbox("locked").state = "destroyed";
  api.state.users.set("another", new Set(["demo"]));
  const codes: (string | null)[] = [];
  for (const key of ["another", "wrong", KEYS.service, KEYS.runner]) {
    const headers = { authorization: `Bearer ${key}` };
    codes.push(
      (await gateway.send(BASE, { path: TOOLBOX, headers })).code,
    );
  }
  codes.push((await gateway.send(BASE, { path: TOOLBOX })).code);
  makeOlder(api.state);
  codes.push(
    (await gateway.send(BASE, { path: TOOLBOX, headers: BEARER })).code,
  );
  assert.deepEqual(codes, [
    ...Array(4).fill("credential_invalid"),
    "login_required",
    "credential_invalid",
  ]);
});

Deno.test("questions about a deleted sandbox are charged like other refusals", async () => {
  await using gateway = await startGateway({ REFUSALS_PER_MINUTE: "1" });
  const { api } = gateway.stack;
  const codes: (string | null)[] = [];
  for (const id of ["locked", "demo"]) {
    api.sandbox(id).state = "destroyed";
    const path = `/toolbox/${id}/version`;
    codes.push((await gateway.send(BASE, { path, headers: BEARER })).code);
  }
  assert.deepEqual(codes, ["sandbox_deleted", "too_many_refusals"]);
});

for (const scope of SESSION_SCOPES) {
  Deno.test(`a person sees the page of a deleted sandbox, before and after a login for '${scope}', and is not sent in circles`, async () => {
    using clock = skewClock();
    await using gateway = await startLoginGateway({
      SESSION_SCOPE: scope,
      TOKEN_TTL_SEC: "1",
    });
    const preview = gateway.at("3000-locked");
    const owner = gateway.browser();
    assert.equal((await owner.openAs("alice", preview)).page.status, 200);
    const later = gateway.browser();
    const { page: laterForm } = await later.open(preview);

    gateway.stack.api.sandbox("locked").state = "destroyed";
    const { page } = await later.logIn(laterForm, "alice");
    assert.equal(page.status, 404);
    assert.match(page.body, /<h1>The sandbox was deleted<\/h1>/);
    clock.jump(2000); // what was answered before has expired
    const again = await owner.open(preview);
    assert.match(again.page.body, /<h1>The sandbox was deleted<\/h1>/);
    assert.equal(again.hops.length, 1);
  });
}
