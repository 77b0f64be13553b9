/** Error codes for every reason why no app responds, tested on the complete service. */
import assert from "node:assert/strict";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { TOOLBOX_PORT } from "../../src/address/grammar.ts";
import {
  type Answer,
  BASE,
  DEMO,
  LOCKED,
  startGateway,
  type TestGateway,
} from "../support/gateway.ts";

const BEARER = { authorization: `Bearer ${KEYS.user}` };

/** A reserved port (RFC 6335 section 6), on which nothing listens. */
const DEAD_PORT = 1;

function outcomeOf({ status, code }: Answer): [number, string | null] {
  return [status, code];
}

/** Starts a gateway whose sandbox `demo` has a daemon, and nothing on port 4000. */
async function startDemo(): Promise<TestGateway> {
  const gateway = await startGateway();
  const { app, runner } = gateway.stack;
  const ports = runner.containers.get("demo")?.ports;
  ports?.set(TOOLBOX_PORT, app.port).set(4000, DEAD_PORT);
  return gateway;
}

Deno.test("a port on which nothing listens is told from a daemon that is down", async () => {
  await using gateway = await startDemo();
  const closed = "4000-demo.proxy.localhost";
  assert.deepEqual(outcomeOf(await gateway.send(closed)), [502, "port_closed"]);
  const asked = gateway.stack.runner.seen.length;
  assert.deepEqual(outcomeOf(await gateway.send(closed)), [502, "port_closed"]);
  // The daemon's answer is cached for a moment.
  assert.equal(gateway.stack.runner.seen.length, asked + 1);

  const container = gateway.stack.runner.containers.get("locked") ??
    assert.fail("no such container");
  container.daemonIsDown = true;
  // Everything passes through the daemon, so the port of an app that listens is as unreachable as any.
  const down = await gateway.send(LOCKED, { headers: BEARER });
  assert.deepEqual(outcomeOf(down), [502, "toolbox_unreachable"]);
  const toolbox = await gateway.send(BASE, {
    path: "/toolbox/locked/version",
    headers: BEARER,
  });
  assert.deepEqual(outcomeOf(toolbox), [502, "toolbox_unreachable"]);
});

Deno.test("a stopped sandbox, one that its runner does not have, and a runner that is down are told apart", async () => {
  await using gateway = await startDemo();
  const { api, runner } = gateway.stack;
  const stopped = await gateway.send("3000-stopped.proxy.localhost");
  assert.deepEqual(outcomeOf(stopped), [503, "sandbox_stopped"]);
  assert.equal(stopped.headers.has("retry-after"), true);

  runner.containers.delete("demo");
  assert.deepEqual(outcomeOf(await gateway.send(DEMO)), [
    404,
    "container_not_found",
  ]);
  // The API is asked once more, in case the sandbox has moved.
  assert.equal(api.count("getRunnerBySandboxId"), 2);

  const runnerId = crypto.randomUUID();
  const proxyUrl = `http://127.0.0.1:${DEAD_PORT}`;
  api.state.runners.set(runnerId, { ...api.runnerOf("locked"), proxyUrl });
  api.sandbox("locked").runnerId = runnerId;
  const down = await gateway.send(LOCKED, {
    headers: BEARER,
  });
  assert.deepEqual(outcomeOf(down), [502, "runner_unreachable"]);
});

Deno.test("a runner that has not reported yet says so, and the API is not asked again and again", async () => {
  await using gateway = await startDemo();
  const { api } = gateway.stack;
  const runner = api.runnerOf("locked");
  const { proxyUrl = null } = runner;
  runner.proxyUrl = null;
  for (let i = 1; i <= 2; i++) {
    const early = await gateway.send(LOCKED, { headers: BEARER });
    assert.deepEqual(outcomeOf(early), [503, "runner_not_ready"]);
    assert.equal(early.headers.get("retry-after"), "2");
    // Also while it is asked whether the sandbox is public; never a second time for the same.
    assert(api.count("getRunnerBySandboxId") <= 2 * i);
  }
  runner.proxyUrl = proxyUrl;
  const ready = await gateway.send(LOCKED, { path: "/echo", headers: BEARER });
  assert.equal(ready.status, 200);
});

Deno.test("the message of an error stands alone, and names the port and the state of the sandbox", async () => {
  await using gateway = await startDemo();
  const closed = await gateway.send(`4000-demo.${BASE}`);
  assert.deepEqual(
    [closed.json().message, closed.json().source],
    [
      "Nothing is listening on this port. The sandbox is running, but no app answers on port 4000.",
      "DAYTONA_PROXY",
    ],
  );
  const stopped = await gateway.send(`3000-stopped.${BASE}`);
  assert.equal(
    stopped.json().message,
    "The sandbox is stopped. It serves port 3000 only while it is running.",
  );
  const { code, portholeCode } = stopped.json();
  assert.deepEqual([code, portholeCode], [
    "sandbox_stopped",
    "sandbox_stopped",
  ]);
  const toolbox = await gateway.send(BASE, {
    path: "/toolbox/stopped/version",
    headers: BEARER,
  });
  assert.equal(
    toolbox.json().message,
    "The sandbox is stopped. It serves the toolbox only while it is running.",
  );
  const page = await gateway.send(`4000-demo.${BASE}`, {
    headers: { accept: "text/html", "sec-fetch-mode": "navigate" },
  });
  assert.match(page.body, /no app answers on port 4000/);
});

Deno.test("a runner that does not know the gateway's key is told from an app's 401", async () => {
  await using gateway = await startDemo();
  const app = await gateway.send(DEMO, { path: "/status/401" });
  assert.deepEqual(outcomeOf(app), [401, null]);
  gateway.stack.runner.apiKey = "another";
  assert.deepEqual(outcomeOf(await gateway.send(DEMO)), [
    502,
    "runner_refused",
  ]);
});

Deno.test("an app's own answers pass, however much they look like a runner's", async () => {
  await using gateway = await startDemo();
  const runnersOwn = JSON.stringify({
    statusCode: 404,
    message: "not found: sandbox container not found",
    code: "NOT_FOUND",
    path: "/mine",
  });
  const answers: [
    status: number,
    headers: Record<string, string>,
    body: string,
  ][] = [
    [404, { "content-type": "application/json" }, runnersOwn],
    [404, { "content-type": "text/html" }, "<p>gone"],
    [
      400,
      { "content-type": "application/json" },
      '{"message":"Is the Sandbox started?"}',
    ],
    [502, { "content-type": "text/plain" }, "bad gateway"],
    [502, { "x-app": "1" }, ""],
    [503, {}, ""],
  ];
  let next = 0;
  const host = await gateway.serve((_, response) => {
    const [status, headers, body] = answers[next] ?? [500, {}, ""];
    response.writeHead(status, {
      ...headers,
      "content-length": String(body.length),
    }).end(body);
  });
  for (; next < answers.length; next++) {
    const [status, , body] = answers[next] ?? [];
    const answer = await gateway.send(host);
    assert.deepEqual([...outcomeOf(answer), answer.body], [status, null, body]);
  }
});

Deno.test("a browser's page for a port on which nothing listens yet reloads by itself, unless it answers a form", async () => {
  await using gateway = await startGateway();
  for (const method of ["GET", "POST"]) {
    const { body, headers } = await gateway.send("3999-demo.proxy.localhost", {
      method,
      headers: { "accept": "text/html", "sec-fetch-mode": "navigate" },
    });
    assert.equal(headers.get("x-porthole-error"), "port_closed");
    assert.equal(/http-equiv="refresh"/.test(body), method === "GET");
  }
});
