/** Who may see what, in front of a Daytona that somebody else runs. */
import assert from "node:assert/strict";
import { makeOlder } from "../../scripts/stand_in/api_state.ts";
import { HOSTED_KEYS } from "../../scripts/stand_in/hosted_stack.ts";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { BASE, DEMO, LOCKED } from "../support/gateway.ts";
import { startHostedGateway } from "../support/hosted_gateway.ts";
import { jwtOf } from "../support/jwt.ts";
import { untilReady } from "../support/ready.ts";

const SIGNED = `3000-${KEYS.signedToken}.${BASE}`;
const TOKEN = { "x-daytona-preview-token": KEYS.lockedToken };

function bearer(key: string): Record<string, string> {
  return { authorization: `Bearer ${key}` };
}

Deno.test("a private sandbox opens by its token, in a header or the query, and by the keys and JWTs of members", async () => {
  await using gateway = await startHostedGateway();
  const { api, provider } = gateway.stack;
  const jwt = jwtOf(provider.issuer);
  api.state.users.set(jwt, new Set(["locked"]));
  const query = `/echo?a=%20+&DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}&b`;
  for (
    const options of [
      { headers: TOKEN },
      { path: query, headers: { "sec-fetch-mode": "cors" } },
      { headers: bearer(HOSTED_KEYS.member) },
      { headers: bearer(HOSTED_KEYS.organization) },
      { headers: bearer(jwt) },
    ]
  ) {
    const answer = await gateway.send(LOCKED, { path: "/echo", ...options });
    assert.equal(
      answer.status,
      200,
      `${JSON.stringify(options)} ${answer.body}`,
    );
    assert.doesNotMatch(answer.body, /locked-token|dtn_|eyJ|AUTH_KEY/);
  }
});

Deno.test("a member's API key costs two questions for all sandboxes of its organization, or one for each and one more where the API does not tell whose it is", async () => {
  for (const [isOlder, expected] of [[false, 1], [true, 3]] as const) {
    await using gateway = await startHostedGateway({ PUBLIC: "never" });
    const { api } = gateway.stack;
    if (isOlder) makeOlder(api.state);
    const headers = bearer(HOSTED_KEYS.member);
    for (const id of ["demo", "locked", "demo", "locked", "stopped"]) {
      await gateway.send(`3000-${id}.${BASE}`, { path: "/echo", headers });
    }
    assert.equal(api.count("hasSandboxAccess"), expected);
    assert.equal(api.count("getCurrentApiKey"), 1);
    const foreign = bearer(HOSTED_KEYS.foreigner);
    const refused = await gateway.send(LOCKED, { headers: foreign });
    assert.equal(refused.code, "login_required");
  }
});

Deno.test("a wrong token, a stranger's key and one that is none of Daytona's open nothing", async () => {
  await using gateway = await startHostedGateway();
  const { api } = gateway.stack;
  const wrong = { "x-daytona-preview-token": "wrong" };
  assert.equal(
    (await gateway.send(LOCKED, { headers: wrong })).code,
    "credential_invalid",
  );
  for (
    const key of [HOSTED_KEYS.foreigner, "dtn_invented", KEYS.service, "sk-app"]
  ) {
    const answer = await gateway.send(LOCKED, { headers: bearer(key) });
    assert.equal(answer.code, "login_required", key);
  }
  const asked = api.calls.filter(({ operation }) =>
    operation === "hasSandboxAccess"
  ).map(({ headers }) => headers.get("authorization"));
  assert.deepEqual(asked, [
    `Bearer ${HOSTED_KEYS.foreigner}`,
    "Bearer dtn_invented",
  ]);
  const both = { ...wrong, ...bearer(HOSTED_KEYS.member) };
  assert.equal((await gateway.send(LOCKED, { headers: both })).status, 200);
});

Deno.test("the JWT of an app's own login reaches the app, and Daytona is not asked about it", async () => {
  await using gateway = await startHostedGateway();
  await untilReady(gateway.port);
  const { api } = gateway.stack;
  const questions = () =>
    api.calls.filter(({ headers }) =>
      headers.get("authorization")?.includes("eyJ")
    ).length;
  for (const issuer of ["https://login.of.the.app", undefined]) {
    const headers = bearer(jwtOf(issuer));
    const anonymous = await gateway.send(LOCKED, { headers });
    assert.equal(anonymous.code, "login_required");
    const visitor = { ...headers, ...TOKEN };
    for (const host of [LOCKED, DEMO]) {
      const path = "/echo";
      const answer = await gateway.send(host, { path, headers: visitor });
      assert.equal(answer.status, 200, host);
      assert.equal(
        answer.echoed().get("authorization"),
        headers["authorization"],
      );
    }
  }
  assert.equal(questions(), 0);
  // The same would-be member's, of Daytona's own login.
  const { provider } = gateway.stack;
  await gateway.send(LOCKED, { headers: bearer(jwtOf(provider.issuer)) });
  assert.equal(questions(), 1);
});

Deno.test("a token in a navigation's query becomes a session, which ends with the token", async () => {
  await using gateway = await startHostedGateway({ RUNNER_TTL_SEC: "1" });
  const { api, hosted } = gateway.stack;
  const first = await gateway.send(LOCKED, {
    path: `/echo?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}&b`,
    headers: { accept: "text/html" },
  });
  assert.equal(first.status, 303);
  assert.equal(first.headers.get("location"), `http://${LOCKED}/echo?b`);
  const [cookie = ""] = first.headers.getSetCookie();
  const headers = { cookie: cookie.split(";")[0] ?? "" };
  assert.equal((await gateway.send(LOCKED, { headers })).status, 200);
  const locked = api.state.sandboxes.get("locked");
  assert(locked !== undefined);
  Object.assign(locked, { authToken: "another" });
  hosted.forget();
  const other = { "x-daytona-preview-token": "another" };
  assert.equal((await gateway.send(LOCKED, { headers: other })).status, 200);
  assert.equal((await gateway.send(LOCKED, { headers })).status, 401);
});

Deno.test("a signed link opens its port by the word of Daytona's proxy, and the app learns nothing of the question", async () => {
  await using gateway = await startHostedGateway();
  const { hosted, api } = gateway.stack;
  const link = api.state.signedTokens.get(KEYS.signedToken);
  assert(link !== undefined);
  Object.assign(link, { port: 8000 });
  const visits: string[] = [];
  await gateway.serve((request, response) => {
    visits.push(`${request.method} ${request.url} ${request.headers.cookie}`);
    response.end("hello");
  }, "locked");
  const host = SIGNED.replace("3000", "8000");
  for (let i = 0; i < 5; i++) {
    const answer = await gateway.send(host, { path: `/${i}` });
    assert.deepEqual([answer.status, answer.body], [200, "hello"]);
    assert.deepEqual(answer.headers.getSetCookie(), []);
  }
  const all = [0, 1, 2, 3, 4].map((i) => `GET /${i} undefined`);
  assert.deepEqual(visits, all);
  const questions = () =>
    hosted.seen.filter(({ method }) => method === "HEAD").length;
  assert.equal(questions(), 1);
  assert.equal((await gateway.send(SIGNED)).code, "signed_token_invalid");
  assert.equal((await gateway.send(SIGNED)).code, "signed_token_invalid");
  assert.equal(questions(), 2, "of each port, once in 5 s");

  Object.assign(link, { revoked: true });
  const late = await gateway.send(host);
  assert.equal(late.status, 401, "the proxy says so itself");
  assert.equal(late.code, "signed_token_invalid");
});

Deno.test("Daytona's own ports stay private on a public sandbox, and toolboxes and build logs are not served", async () => {
  await using gateway = await startHostedGateway();
  for (const port of [2280, 22222, 33333]) {
    const answer = await gateway.send(DEMO.replace("3000", `${port}`));
    assert.equal(answer.status, 401, `${port}`);
  }
  for (
    const path of [
      "/toolbox/demo/files",
      "/snapshots/s/build-logs",
      "/sandboxes/demo/build-logs",
    ]
  ) {
    const headers = bearer(HOSTED_KEYS.member);
    const answer = await gateway.send(BASE, { path, headers });
    assert.deepEqual([answer.status, answer.code], [404, "port_not_served"]);
  }
});

Deno.test("with PUBLIC=never, nothing opens without a credential", async () => {
  await using gateway = await startHostedGateway({ PUBLIC: "never" });
  assert.equal((await gateway.send(DEMO)).status, 401);
  const headers = { "x-daytona-preview-token": "demo-token" };
  assert.equal((await gateway.send(DEMO, { headers })).status, 200);
});

Deno.test("10,000 anonymous requests with invented bearers leave the operator's key unblocked, and known users in", async () => {
  await using gateway = await startHostedGateway({
    REFUSALS_PER_MINUTE: "1000000",
  });
  const { api } = gateway.stack;
  api.state.limits = { failedAuth: { limit: 10, ttlMs: 300_000 } };
  const known = bearer(HOSTED_KEYS.member);
  assert.equal((await gateway.send(LOCKED, { headers: known })).status, 200);
  const statuses = new Map<number, number>();
  for (let batch = 0; batch < 100; batch++) {
    const answers = Array.from({ length: 100 }, async (_, i) => {
      const key = `dtn_${batch}_${i}_${crypto.randomUUID()}`;
      const host = i % 2 === 0 ? LOCKED : `3000-invented-${i}.${BASE}`;
      const { status } = await gateway.send(host, { headers: bearer(key) });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    });
    await Promise.all(answers);
  }
  assert.equal([...statuses.values()].reduce((a, b) => a + b), 10_000);
  const refused =
    api.calls.filter(({ operation }) => operation === "hasSandboxAccess")
      .length;
  assert(refused <= 6, `${refused} questions`);

  // Nothing of this is known yet: the operator's own questions are answered.
  const headers = { "x-daytona-preview-token": "stopped-token" };
  const fresh = await gateway.send(`3000-stopped.${BASE}`, { headers });
  assert.notEqual(fresh.code, "api_throttled");
  assert.equal((await gateway.send(LOCKED, { headers: known })).status, 200);
});

Deno.test("strangers who ask for sandboxes leave a quarter of the organization's quota, and what is known goes on", async () => {
  await using gateway = await startHostedGateway();
  const { api } = gateway.stack;
  api.state.limits = { authenticated: { limit: 40, ttlMs: 60_000 } };
  assert.equal((await gateway.send(DEMO)).status, 200);
  assert.equal((await gateway.send(LOCKED, { headers: TOKEN })).status, 200);
  const codes = new Set<string | null>();
  for (let i = 0; i < 100; i++) {
    codes.add((await gateway.send(`3000-invented-${i}.${BASE}`)).code);
  }
  assert.deepEqual([...codes].sort(), ["api_throttled", "login_required"]);
  const own = api.calls.filter(({ headers }) =>
    headers.get("authorization") === bearer(HOSTED_KEYS.organization)
      .authorization
  );
  assert(own.length <= 30, `${own.length} questions`);
  assert.equal((await gateway.send(DEMO)).status, 200);
  assert.equal((await gateway.send(LOCKED, { headers: TOKEN })).status, 200);
});
