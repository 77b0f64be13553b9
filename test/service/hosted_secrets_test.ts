/** The organization's key and the tokens that it tells, which reach nobody but Daytona. */
import { Daytona } from "@daytonaio/sdk";
import assert from "node:assert/strict";
import { WebSocket } from "ws";
import { HOSTED_KEYS } from "../../scripts/stand_in/hosted_stack.ts";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { collectLog } from "../support/collected_log.ts";
import { BASE, DEMO, LOCKED } from "../support/gateway.ts";
import { startHostedGateway } from "../support/hosted_gateway.ts";
import { KvConnect } from "../support/kv_connect.ts";

const SIGNED = `3000-${KEYS.signedToken}.${BASE}`;
const MEMBER = { authorization: `Bearer ${HOSTED_KEYS.member}` };

Deno.test("the organization's key and the preview tokens reach no app, client, log, metric or database", async () => {
  await using database = new KvConnect();
  await using log = await collectLog();
  await using gateway = await startHostedGateway(
    { CACHE_URL: database.url },
    { lines: log.lines, platformShared: true },
  );
  const { stack, service } = gateway;
  const seenByApps: string[] = [];
  const host = await gateway.serve((request, response) => {
    seenByApps.push(`${request.url} ${request.rawHeaders.join("\n")}`);
    response.setHeader("x-app", "1").end("hello");
  }, "locked");
  const publicHost = await gateway.serve((request, response) => {
    seenByApps.push(`${request.url} ${request.rawHeaders.join("\n")}`);
    response.end("hello");
  });
  const seenByClients: string[] = [];
  async function visit(
    ...[to, options]: Parameters<typeof gateway.send>
  ): Promise<number> {
    const { status, rawHeaders, body } = await gateway.send(to, options);
    seenByClients.push(`${status} ${rawHeaders.join("\n")} ${body}`);
    return status;
  }

  assert.equal(await visit(publicHost), 200);
  assert.equal(await visit(host, { headers: MEMBER }), 200);
  assert.equal(await visit(host, { headers: MEMBER, method: "POST" }), 200);
  assert.equal(await visit(SIGNED), 200);
  assert.equal(await visit(host), 401);
  await visit(`3000-stopped.${BASE}`, { headers: MEMBER });
  await visit(`9-locked.${BASE}`, { headers: MEMBER });
  await visit(`3000-unknown.${BASE}`, { headers: MEMBER });
  await visit(DEMO, { headers: { origin: "https://x.example" } });
  await visit(BASE, { path: "/ready" });
  // A token of a visitor's own is in no answer, and in no log, either.
  await visit(host, {
    path: `/?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`,
    headers: { accept: "text/html" },
  });
  // A token that is no longer right, a proxy that breaks, an API that refuses.
  Object.assign(stack.api.state.sandboxes.get("locked") ?? {}, {
    authToken: "rotated-token",
  });
  stack.hosted.forget();
  assert.equal(await visit(host, { headers: MEMBER }), 200);
  const wrong = { "x-daytona-preview-token": "wrong" };
  assert.equal(await visit(host, { headers: wrong }), 401);
  stack.hosted.fault = () => "reset";
  await visit(host, { headers: MEMBER });
  stack.hosted.fault = undefined;
  stack.api.outage = 401;
  await visit(`3000-another.${BASE}`, { headers: MEMBER });

  const secrets = [
    HOSTED_KEYS.organization,
    KEYS.lockedToken,
    "rotated-token",
    "demo-token",
    "stopped-token",
  ];
  const sent = JSON.stringify(stack.hosted.seen.map(({ lines }) => lines));
  assert(sent.includes(KEYS.lockedToken), "where it belongs");
  assert(sent.includes("rotated-token"), "where it belongs");
  assert(!sent.includes(HOSTED_KEYS.organization), "the API's alone");
  await database.hasKeyWith("hosted-preview", "locked");
  const places = {
    apps: seenByApps.join("\n"),
    clients: seenByClients.join("\n"),
    log: JSON.stringify(log.records()),
    metrics: service.renderMetrics(),
    database: database.contents(),
  };
  for (const [place, text] of Object.entries(places)) {
    assert(text.length > 100, place);
    for (const secret of secrets) {
      assert(!text.includes(secret), `${secret} in ${place}`);
    }
  }
  assert.doesNotMatch(places.apps, /preview-token|daytona-authorization/i);
  assert.doesNotMatch(places.log, /access_token|dtn_/);
});

Deno.test("a WebSocket opens by a token, and its app is told none", async () => {
  await using gateway = await startHostedGateway();
  const { port, stack: { runner } } = gateway;
  for (
    const headers of [
      { "x-daytona-preview-token": KEYS.lockedToken },
      MEMBER,
    ]
  ) {
    const answered = Promise.withResolvers<string>();
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, {
      headers: { host: LOCKED, ...headers },
    });
    socket.on("open", () => socket.send("hello"));
    socket.on(
      "message",
      (data: Uint8Array) => answered.resolve(new TextDecoder().decode(data)),
    );
    socket.on("error", answered.reject);
    const closed = new Promise((resolve) => socket.on("close", resolve));
    assert.equal(await answered.promise, "hello");
    socket.close();
    await closed;
  }
  const heads = JSON.stringify(runner.seen);
  assert(heads.includes("websocket"));
  assert(!heads.includes(HOSTED_KEYS.member));
  assert(!heads.includes(KEYS.lockedToken));
});

Deno.test("the token of the official SDK's getPreviewLink() opens a private sandbox on the gateway's domain", async () => {
  await using gateway = await startHostedGateway();
  const { api } = gateway.stack;
  await using daytona = new Daytona({
    apiKey: HOSTED_KEYS.member,
    apiUrl: api.url,
    target: "local",
    useDeprecatedPolling: true,
  });
  const sandbox = await daytona.get("locked");
  const { token, url } = await sandbox.getPreviewLink(3000);
  assert.match(url, /^https:\/\/3000-locked\.hosted\.localhost/);
  const headers = { "x-daytona-preview-token": token };
  assert.equal((await gateway.send(LOCKED, { headers })).status, 200);
  const signed = await sandbox.getSignedPreviewUrl(3000, 60);
  const host = `3000-${signed.token}.${BASE}`;
  assert.equal((await gateway.send(host)).status, 200);
});
