/** Logs, metrics and headers by which an exchange can be observed, tested on the complete service. */
import assert from "node:assert/strict";
import { ORGANIZATION } from "../../scripts/stand_in/api_state.ts";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { TOOLBOX_PORT } from "../../src/address/grammar.ts";
import { collectLog } from "../support/collected_log.ts";
import { DEMO, LOCKED, startGateway as startOwn } from "../support/gateway.ts";
import { startHostedGateway } from "../support/hosted_gateway.ts";
import { testByNameToo as test } from "../support/named_worlds.ts";
import { untilReady } from "../support/ready.ts";
import { skewClock } from "../support/skewed_clock.ts";
import { switchingProtocols } from "../support/wire_frames.ts";

const TRUSTING = { TRUSTED_PROXIES: "127.0.0.1" };

test("an exchange's record says what it was, how it was resolved and how much went through, and no secret", async (startGateway) => {
  await using log = await collectLog();
  await using gateway = await startGateway({}, { lines: log.lines });
  const headers = { "x-daytona-preview-token": KEYS.lockedToken };
  for (const _ of [1, 2]) {
    await gateway.send(LOCKED, {
      method: "PUT",
      path: "/upload?secret=1",
      headers,
      body: "hello",
    });
  }
  await gateway.send(LOCKED, { path: "/echo?secret=1" });
  await gateway.service.close();
  const records = log.records().filter(({ message }) => message === "request");
  const facts = records.map((
    { route, port, sandboxId, status, cache, receivedBytes, by, error },
  ) => [route, port, sandboxId, status, cache, receivedBytes, by, error]);
  assert.deepEqual(facts, [
    ["preview", 3000, "locked", 200, "miss", 5, "preview_token", undefined],
    ["preview", 3000, "locked", 200, "hit", 5, "preview_token", undefined],
    ["preview", 3000, undefined, 401, "hit", 0, undefined, "login_required"],
  ]);
  assert.equal(Number(records[0]?.sentBytes) > 0, true);
  assert.equal(typeof records[0]?.resolvedMs, "number");
  const text = JSON.stringify(log.records());
  assert.doesNotMatch(text, new RegExp(KEYS.lockedToken));
  assert.doesNotMatch(text, /secret/);
});

Deno.test("an exchange's record names the organization of the sandbox, if the request was to go there", async () => {
  await using log = await collectLog();
  await using gateway = await startOwn({}, { lines: log.lines });
  for (const _ of [1, 2]) await gateway.send(DEMO);
  await gateway.send(LOCKED);
  await gateway.service.close();
  const told = log.records().filter(({ message }) => message === "request")
    .map(({ status, organizationId }) => [status, organizationId]);
  assert.deepEqual(told, [
    [200, ORGANIZATION],
    [200, ORGANIZATION],
    [401, undefined],
  ]);
});

test("a record names the trace that the client says, and the app is told that", async (startGateway) => {
  await using log = await collectLog();
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const traceparent = `00-${traceId}-b7ad6b7169203331-00`;
  await using gateway = await startGateway({}, { lines: log.lines });
  const told: string[] = [];
  for (const headers of [{ traceparent }, {}]) {
    const answer = await gateway.send(DEMO, { path: "/echo", headers });
    told.push(answer.echoed().get("traceparent") ?? "none");
  }
  await gateway.service.close();
  const logged = log.records().filter(({ message }) => message === "request")
    .map((record) => record.traceId);
  assert.deepEqual(told, [traceparent, "none"]);
  assert.deepEqual(logged, [traceId, undefined]);
});

test("what a visitor or an app can set right is logged at info, with the sandbox and the port", async (startGateway) => {
  await using log = await collectLog();
  await using gateway = await startGateway();
  const { api, app, runner } = gateway.stack;
  const ports = runner.containers.get("demo")?.ports;
  ports?.set(TOOLBOX_PORT, app.port).set(4000, 1);
  await gateway.send("4000-demo.proxy.localhost");
  await gateway.send("3000-stopped.proxy.localhost");
  runner.containers.delete("demo");
  await gateway.send(DEMO);
  api.outage = 500;
  await gateway.send("3000-unseen.proxy.localhost");
  await gateway.service.close();
  const told = log.records().filter(({ message }) =>
    message === "request failed"
  ).map((
    { level, code, sandboxId, port, reason },
  ) => [level, code, sandboxId, port, reason]);
  const outage = told.pop();
  assert.deepEqual(told, [
    [
      "INFO",
      "port_closed",
      "demo",
      4000,
      "nothing listens on the port (the runner's empty 502)",
    ],
    [
      "INFO",
      "sandbox_stopped",
      "stopped",
      3000,
      "the sandbox is not running (the runner's 400); state stopped, desired stopped",
    ],
    [
      "INFO",
      "container_not_found",
      "demo",
      3000,
      "the runner does not have the sandbox (its 404)",
    ],
  ]);
  assert.deepEqual(outage?.slice(0, 4), [
    "WARN",
    "api_unreachable",
    undefined,
    3000,
  ]);
  assert.match(String(outage[4]), /^Daytona API, \w+: status 500$/);
});

test("the log has the reason of an outage that cached answers hide", async (startGateway) => {
  using clock = skewClock();
  await using log = await collectLog();
  await using gateway = await startGateway();
  assert.equal((await gateway.send(DEMO)).status, 200);
  gateway.stack.api.outage = 500;
  clock.jump(100_000); // in the last quarter of the TTL of 120 s
  assert.equal((await gateway.send(DEMO)).status, 200);
  const { level, reason } = await log.next(
    "answers served from cache: the API fails",
  );
  assert.equal(level, "WARN");
  assert.match(String(reason), /^Daytona API, \w+: status 500$/);
});

test("the access log says why a response did not end as it should", async (startGateway) => {
  await using log = await collectLog();
  await using gateway = await startGateway({}, { lines: log.lines });
  const host = await gateway.serve((request, response) => {
    response.write("begun", () => request.socket.destroy());
  });
  await assert.rejects(gateway.send(host));
  const { status, end, reason } = await log.next("request");
  assert.deepEqual([status, end], [200, "upstream_failed"]);
  // With TLS, the end of the connection is noticed first.
  assert.match(String(reason), /^(?:response body truncated$|.*close_notify)/);
});

test("the access log says how a WebSocket broke the protocol", async (startGateway) => {
  await using log = await collectLog();
  await using gateway = await startGateway({}, { lines: log.lines });
  const host = await gateway.serve(({ headers, socket }) => {
    socket.write(switchingProtocols(`${headers["sec-websocket-key"]}`));
    socket.write(new Uint8Array([0xf1, 0])); // with reserved bits
  });
  using client = await gateway.open(
    `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\n` +
      "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  await client.readUntil("\r\n\r\n");
  await client.read(2); // a Close
  client.close();
  const { status, end, reason } = await log.next("request");
  assert.deepEqual([status, end], [101, "upstream_failed"]);
  assert.match(String(reason), /reserved/i);
});

Deno.test("an app's 5xx, a port that is closed and an outage of the API count apart", async () => {
  await using gateway = await startOwn();
  const broken = await gateway.serve((_, response) => {
    response.writeHead(500).end("broken");
  });
  await gateway.send(broken);
  gateway.stack.runner.containers.get("demo")?.ports.set(4000, 1);
  await gateway.send("4000-demo.proxy.localhost");
  gateway.stack.api.outage = 500;
  await gateway.send("3000-unseen.proxy.localhost");
  const text = gateway.service.renderMetrics();
  for (const source of ["app", "sandbox", "gateway"]) {
    const line =
      `porthole_http_responses_total{source="${source}",status="5xx"} 1\n`;
    assert(text.includes(line), line);
  }
});

Deno.test("metrics have the checks of /ready, as of the scrape before", async () => {
  await using gateway = await startOwn();
  assert.doesNotMatch(gateway.service.renderMetrics(), /^porthole_check_/m);
  await untilReady(gateway.port);
  const text = gateway.service.renderMetrics();
  for (const check of ["api", "key", "cache", "domains", "login"]) {
    assert(text.includes(`porthole_check_passing{check="${check}"} 1\n`), text);
  }
});

test("what is wrong with a request's parameters is logged on one line", async (startGateway) => {
  await using log = await collectLog();
  await using gateway = await startGateway();
  await gateway.send("proxy.localhost", { path: "/login" });
  const { code, reason } = await log.next("request refused");
  assert.deepEqual([code, reason], ["bad_request", "return_to: missing"]);
});

test("a trace's context passes as it came (W3C Trace Context)", async (startGateway) => {
  await using gateway = await startGateway();
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const tracestate = "vendor=a;b, other=c";
  const answer = await gateway.send(DEMO, {
    path: "/echo",
    headers: { traceparent, tracestate },
  });
  const seen = answer.echoed();
  assert.equal(seen.get("traceparent"), traceparent);
  assert.equal(seen.get("tracestate"), tracestate);
});

test("the app is told the request's id, and a trusted proxy's is taken over", async (startGateway) => {
  await using gateway = await startGateway(TRUSTING);
  async function idOf(
    headers: Record<string, string>,
  ): Promise<[app: string | undefined, ours: string | null]> {
    const answer = await gateway.send(DEMO, { path: "/echo", headers });
    const seen = answer.echoed();
    const refused = await gateway.send(LOCKED, { headers });
    return [seen.get("x-request-id"), refused.headers.get("x-request-id")];
  }
  assert.match((await idOf({}))[0] ?? "", /^[0-9a-f]{8}-[0-9a-z]+$/);
  assert.deepEqual(await idOf({ "x-request-id": "lb-1" }), ["lb-1", "lb-1"]);
  const [app, ours] = await idOf({ "x-request-id": "no id" });
  assert.equal(app, "no id");
  assert.match(ours ?? "", /^[0-9a-f]{8}-[0-9a-z]+$/);
});

test("nobody but a trusted proxy names a request", async (startGateway) => {
  await using gateway = await startGateway();
  const refused = await gateway.send(LOCKED, {
    headers: { "x-request-id": "forged" },
  });
  assert.notEqual(refused.headers.get("x-request-id"), "forged");
});

test("X-Porthole-Debug tells a trusted caller how long each part took, and nobody else", async (startGateway) => {
  const headers = { "x-porthole-debug": "1" };
  await using trusting = await startGateway(TRUSTING);
  const answer = await trusting.send(DEMO, { path: "/echo", headers });
  assert.match(
    answer.headers.get("server-timing") ?? "",
    /^cache;desc=miss, resolve;dur=\d+, upstream;dur=\d+$/,
  );
  assert.doesNotMatch(answer.body, /x-porthole-debug/i);
  const refused = await trusting.send(LOCKED, { headers });
  assert.match(refused.headers.get("server-timing") ?? "", /^cache;desc=/);
  const elsewhere = await trusting.send(DEMO, {
    path: "/echo",
    headers: { ...headers, "x-forwarded-for": "192.0.2.7" },
  });
  assert.equal(elsewhere.headers.has("server-timing"), false);

  await using gateway = await startGateway();
  const other = await gateway.send(DEMO, { path: "/echo", headers });
  assert.equal(other.headers.has("server-timing"), false);
});

/** What is asked and remembered of a public and a private sandbox in each world. */
const LOOKUPS = [
  {
    world: "",
    startGateway: startOwn,
    lines: [
      'porthole_api_calls_total{operation="isSandboxPublic",outcome="ok"} 1',
      'porthole_cache_requests_total{kind="sandbox-public",result="hit"} 1',
    ],
  },
  {
    world: " (somebody else's Daytona)",
    startGateway: startHostedGateway,
    lines: [
      'porthole_api_calls_total{operation="getSandbox",outcome="ok"} 2',
      'porthole_cache_requests_total{kind="hosted-preview",result="hit"} 1',
    ],
  },
];

for (const { world, startGateway, lines } of LOOKUPS) {
  Deno.test(`metrics count exchanges by route and status, bytes, API calls and the cache${world}`, async () => {
    await using gateway = await startGateway();
    await gateway.send(DEMO, { path: "/echo" });
    await gateway.send(DEMO, { path: "/echo" });
    await gateway.send(LOCKED);
    await gateway.send("10.0.0.7", { path: "/health" });
    const text = gateway.service.renderMetrics();
    for (
      const line of [
        'porthole_http_requests_total{route="preview",status="2xx"} 2',
        'porthole_http_requests_total{route="preview",status="4xx"} 1',
        'porthole_http_requests_total{route="control",status="2xx"} 1',
        'porthole_errors_total{code="login_required"} 1',
        ...lines,
        "porthole_upstream_connections_opened_total 1",
        "porthole_upstream_connections_reused_total 1",
      ]
    ) assert(text.split("\n").includes(line), `${line}\n${text}`);
  });
}
