/** Machine tokens made in a browser, whose login counts for pages of the base domain, and what the log tells of them. */
import assert from "node:assert/strict";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { collectLog } from "../../../support/collected_log.ts";
import { BASE, LOCKED, startGateway } from "../../../support/gateway.ts";
import { askApi, makeToken, startTokenGateway } from "./token_gateway.ts";

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
