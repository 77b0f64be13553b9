import assert from "node:assert/strict";
import { viaOf } from "../../support/feature_words.ts";
import { GatewayError } from "../../../src/errors.ts";
import { AUDIT, loggerFor } from "../../../src/observability/log.ts";
import { AccessEvents } from "../../../src/observability/access_events.ts";
import { collectLog } from "../../support/collected_log.ts";

function setUp() {
  const outcomes: string[] = [];
  const visits = new AccessEvents({
    logger: loggerFor(AUDIT),
    metrics: {
      login: (outcome) => void outcomes.push(outcome),
      grant: (via, outcome) => void outcomes.push(`${via} ${outcome}`),
    },
    subjects: { ofUser: (sub) => sub && `hash of ${sub}` },
  });
  return { outcomes, visits };
}

Deno.test("a login and a logout are one line each, with the sandbox and the user in the log's words", async () => {
  await using log = await collectLog();
  const { visits, outcomes } = setUp();
  const visit = { requestId: "r", sandboxId: "box", port: 3000, sub: "alice" };
  visits.loggedIn(visit);
  visits.loggedOut({ requestId: "r", sub: "alice" });
  const told = log.records().map((
    { message, sandboxId, port, subject, sub },
  ) => [message, sandboxId, port, subject, sub]);
  assert.deepEqual(told, [
    ["login", "box", 3000, "hash of alice", undefined],
    ["logout", undefined, undefined, "hash of alice", undefined],
  ]);
  assert.deepEqual(outcomes, ["ok"]);
});

Deno.test("a login that fails counts by its code, and by none of ours as internal", () => {
  const { visits, outcomes } = setUp();
  visits.loginFailed(new GatewayError("login_denied", ""));
  visits.loginFailed(new Error("bug"));
  assert.deepEqual(outcomes, ["login_denied", "internal"]);
});

Deno.test("the same refusal of the same client is one line, and any other is another", async () => {
  await using log = await collectLog();
  const { visits } = setUp();
  const visit = {
    requestId: "r",
    sandboxId: "box",
    port: 3000,
    code: "credential_invalid",
    client: "192.0.2.1",
  } as const;
  visits.refused(visit);
  visits.refused(visit);
  visits.refused({ ...visit, client: "192.0.2.2" });
  visits.refused({ ...visit, sandboxId: "another" });
  const told = log.records().map((
    { message, sandboxId, code, client },
  ) => [message, sandboxId, code, client]);
  assert.deepEqual(told, [
    ["access refused", "box", "credential_invalid", undefined],
    ["access refused", "box", "credential_invalid", undefined],
    ["access refused", "another", "credential_invalid", undefined],
  ]);
});

Deno.test("a grant's first use by a client is one line in an hour, each use is counted, and a refusal names it", async () => {
  await using log = await collectLog();
  const { visits, outcomes } = setUp();
  const grant = { via: viaOf("share"), id: "g" };
  const visit = { requestId: "r", sandboxId: "box", port: 3000 };
  for (const client of ["192.0.2.1", "192.0.2.1", "192.0.2.2"]) {
    visits.usedGrant({ ...visit, client, grant, subject: "ci" });
  }
  const refused = { ...visit, code: "grant_invalid", client: "c" } as const;
  visits.refused({ ...refused, grant });
  visits.refused(refused);
  const told = log.records().map((
    { message, sandboxId, subject, via, grant, client },
  ) => [message, sandboxId, subject, via, grant, client]);
  const none = undefined;
  assert.deepEqual(told, [
    ["grant used", "box", "ci", "share", "g", none],
    ["grant used", "box", "ci", "share", "g", none],
    ["access refused", "box", none, "share", "g", none],
    ["access refused", "box", none, none, none, none],
  ]);
  assert.deepEqual(outcomes, [
    "share admitted",
    "share admitted",
    "share admitted",
    "share refused",
    "unknown refused",
  ]);
});
