/** In front of a Daytona that somebody else runs: the way to its proxy, and what its traps do not lead to. */
import assert from "node:assert/strict";
import { WebSocket } from "ws";
import { ORGANIZATION } from "../../scripts/stand_in/api_state.ts";
import {
  CUSTOM_REGION,
  HOSTED_KEYS,
  type HostedStack,
} from "../../scripts/stand_in/hosted_stack.ts";
import { KEYS, RUNNER_ID } from "../../scripts/stand_in/stack.ts";
import { valuesOf } from "../../src/http/headers.ts";
import { collectLog } from "../support/collected_log.ts";
import { BASE, DEMO, LOCKED, startGateway } from "../support/gateway.ts";
import {
  type HostedGateway,
  startHostedGateway,
} from "../support/hosted_gateway.ts";
import { redisTest as test, startRedis } from "../support/redis_server.ts";
import { skewClock } from "../support/skewed_clock.ts";

/** Any id of the real form, and a sandbox's name. */
const ID = "0b6f2c1e-7d3a-4f58-9a41-2f6f0c9d1e77";
const OTHER = "5f8a7c1e-95de-4b9c-8f0b-9e6d6a6b1c2d";

const TOKEN = { "x-daytona-preview-token": KEYS.lockedToken };

/** Adds a sandbox that is like another one. */
function addLike(
  { api, runner }: HostedStack,
  id: string,
  like: string,
  differences: { name?: string; public?: boolean; region?: string } = {},
): void {
  const model = api.state.sandboxes.get(like);
  const container = runner.containers.get(like);
  if (model === undefined || container === undefined) {
    throw new TypeError("No such sandbox");
  }
  api.state.sandboxes.set(id, {
    ...model,
    id,
    authToken: `${id}-token`,
    ...differences,
  });
  runner.containers.set(id, container);
  for (const ids of api.state.users.values()) ids.add(id);
}

/** The API's operations that were called, but for those about the installation. */
function asked({ stack }: HostedGateway): string[] {
  return stack.api.calls.map(({ operation }) => operation).filter((operation) =>
    operation !== "ConfigController_getConfig" &&
    operation !== "listAvailableRegions"
  ).sort();
}

function hostOf({ hosted }: HostedStack, label: string): string {
  return `3000-${label}.hosted.localhost:${hosted.port}`;
}

Deno.test("a public preview comes through somebody else's Daytona, by TLS with the name of its own host", async () => {
  await using gateway = await startHostedGateway();
  const answer = await gateway.send(DEMO, { path: "/echo?a=%20&b" });
  assert.equal(answer.status, 200, answer.body);
  const [seen] = gateway.stack.hosted.seen;
  assert.equal(seen?.host, hostOf(gateway.stack, "demo"));
  assert.equal(seen.serverName, "3000-demo.hosted.localhost");
  assert.equal(seen.target, "/echo?a=%20&b");
  assert.deepEqual(valuesOf(seen.lines, "x-daytona-preview-token"), []);
  // Not even the one that a visitor brings.
  const guest = await gateway.send(DEMO, { path: "/echo", headers: TOKEN });
  assert.equal(guest.echoed().get("x-daytona-preview-token"), undefined);
});

Deno.test("a target arrives at the app byte for byte, over one connection that is kept", async () => {
  await using gateway = await startHostedGateway();
  const { hosted } = gateway.stack;
  for (
    const path of ["/echo?y=%20&z=a+b;c", "/echo?a=%2fb&&c=%zz", "/echo?"]
  ) {
    const answer = await gateway.send(LOCKED, { path, headers: TOKEN });
    assert.equal(answer.json().url, path);
  }
  assert.equal(hosted.connections, 1);
});

Deno.test("a certificate that is not that of the proxy's name ends in a 502, and no token was sent", async () => {
  await using gateway = await startHostedGateway({}, {
    // Without trust in the stand-in's authority.
    async dial(origin, signal) {
      const { dial } = await import("../../src/upstream/http1/connect.ts");
      const address = { hostname: "127.0.0.1", port: origin.port };
      return await dial(origin, signal, [], address);
    },
  });
  const answer = await gateway.send(LOCKED, { headers: TOKEN });
  assert.equal(answer.code, "runner_unreachable");
  assert.deepEqual(gateway.stack.hosted.seen, []);
});

Deno.test("a burst of a thousand requests asks the API once for the sandbox and once for its address, and a warm request asks nothing", async () => {
  await using gateway = await startHostedGateway({
    UPSTREAM_CONNECT_TIMEOUT_SEC: "100", // a busy machine is not what this is about
  });
  const get = () => gateway.send(LOCKED, { path: "/echo", headers: TOKEN });
  const statuses = await Promise.all(
    Array.from({ length: 1000 }, async () => (await get()).status),
  );
  assert.deepEqual(new Set(statuses), new Set([200]));
  assert.deepEqual(asked(gateway), ["getPortPreviewUrl", "getSandbox"]);
  const { length } = gateway.stack.api.calls;
  assert.equal((await get()).status, 200);
  assert.equal(gateway.stack.api.calls.length, length);
});

Deno.test("a token that has changed is renewed where the proxy leads to its login, and the visitor notices nothing", async () => {
  await using gateway = await startHostedGateway();
  const { api, hosted } = gateway.stack;
  const session = await gateway.send(LOCKED, {
    path: "/echo",
    headers: { authorization: `Bearer ${HOSTED_KEYS.member}` },
  });
  assert.equal(session.status, 200);
  const sandbox = api.state.sandboxes.get("locked");
  assert.ok(sandbox);
  sandbox.authToken = "rotated-token";
  hosted.forget();
  const before = api.count("getPortPreviewUrl");
  const answers = await Promise.all(
    Array.from({ length: 20 }, () =>
      gateway.send(LOCKED, {
        path: "/echo",
        headers: { authorization: `Bearer ${HOSTED_KEYS.member}` },
      })),
  );
  assert.deepEqual(
    new Set(answers.map(({ status }) => status)),
    new Set([200]),
  );
  assert.equal(api.count("getPortPreviewUrl") - before, 1);
});

Deno.test("a token that changes again within seconds is renewed again, and no visitor is refused", async () => {
  await using gateway = await startHostedGateway();
  const { api, hosted } = gateway.stack;
  const headers = { authorization: `Bearer ${HOSTED_KEYS.member}` };
  for (const token of [KEYS.lockedToken, "second", "third", "fourth"]) {
    api.sandbox("locked").authToken = token;
    hosted.forget();
    assert.equal((await gateway.send(LOCKED, { headers })).status, 200, token);
  }
});

Deno.test("an upload is not sent twice: it fails if the token has changed, and the next one does not", async () => {
  await using gateway = await startHostedGateway();
  const { api, hosted } = gateway.stack;
  const headers = { authorization: `Bearer ${HOSTED_KEYS.member}` };
  assert.equal((await gateway.send(LOCKED, { headers })).status, 200);
  const sandbox = api.state.sandboxes.get("locked");
  assert.ok(sandbox);
  sandbox.authToken = "rotated-token";
  hosted.forget();
  const upload = { method: "POST", path: "/upload", body: "x", headers };
  const first = await gateway.send(LOCKED, upload);
  assert.equal(first.code, "runner_refused");
  assert.equal(first.headers.get("set-cookie"), null);
  assert.equal(first.headers.get("location"), null);
  assert.equal((await gateway.send(LOCKED, upload)).status, 200);
});

Deno.test("an app's own 401 is the app's, and the API is not asked", async () => {
  await using gateway = await startHostedGateway();
  await gateway.send(LOCKED, { headers: TOKEN });
  const { length } = gateway.stack.api.calls;
  const answer = await gateway.send(LOCKED, {
    path: "/status/401",
    headers: TOKEN,
  });
  assert.equal(answer.status, 401);
  assert.equal(answer.code, null);
  assert.equal(gateway.stack.api.calls.length, length);
});

Deno.test("whoever came without a credential gets nothing by the gateway's token once the sandbox is private", async () => {
  await using gateway = await startHostedGateway();
  const { api, hosted } = gateway.stack;
  assert.equal((await gateway.send(DEMO)).status, 200);
  const sandbox = api.state.sandboxes.get("demo");
  assert.ok(sandbox);
  sandbox.public = false;
  hosted.forget();
  const first = await gateway.send(DEMO);
  assert.equal(first.code, "runner_refused");
  assert.ok(
    hosted.seen.every(({ lines }) =>
      valuesOf(lines, "x-daytona-preview-token").length === 0
    ),
  );
  // By that refusal, the gateway knows.
  assert.equal((await gateway.send(DEMO)).status, 401);
});

Deno.test("whether a sandbox exists, the API says: for one that does not, nobody's proxy is asked", async () => {
  await using gateway = await startHostedGateway();
  const { api, hosted } = gateway.stack;
  const demo = api.state.sandboxes.get("demo");
  assert.ok(demo);
  demo.state = "destroyed";
  const headers = { authorization: `Bearer ${HOSTED_KEYS.member}` };
  for (const label of [ID, "demo", "nobody"]) {
    const host = `3000-${label}.${BASE}`;
    const anonymous = await gateway.send(host);
    assert.equal(anonymous.status, 401);
    const member = await gateway.send(host, { headers });
    assert.ok([401, 404].includes(member.status), String(member.status));
  }
  assert.deepEqual(hosted.seen, []);
});

Deno.test("a sandbox in a region with a proxy of its own is found there", async () => {
  await using gateway = await startHostedGateway();
  addLike(gateway.stack, ID, "demo", { region: CUSTOM_REGION });
  const answer = await gateway.send(`3000-${ID}.${BASE}`);
  assert.equal(answer.status, 200, answer.body);
  const [seen] = gateway.stack.hosted.seen;
  assert.match(seen?.host ?? "", /\.eu\.hosted-region\.localhost:\d+$/);
});

Deno.test("a token is not sent to an address that is none of Daytona's proxies', and the log says why", async () => {
  await using log = await collectLog();
  await using gateway = await startHostedGateway();
  const { api, hosted } = gateway.stack;
  const proxyUrl = hosted.origin("stranger.localhost");
  api.state.regions.set(CUSTOM_REGION, {
    proxyUrl,
    organizationId: "another-organization",
  });
  addLike(gateway.stack, ID, "demo", { region: CUSTOM_REGION });
  const answer = await gateway.send(`3000-${ID}.${BASE}`);
  assert.equal(answer.code, "sandbox_not_found");
  assert.deepEqual(hosted.seen, []);
  const line = log.records().find(({ message }) =>
    /none of its proxies is/.test(String(message))
  );
  assert.equal(line?.sandboxId, ID);
});

Deno.test("an impostor whose name is another sandbox's id is not served in its place", async () => {
  await using log = await collectLog();
  await using gateway = await startHostedGateway();
  addLike(gateway.stack, ID, "demo");
  addLike(gateway.stack, OTHER, "demo", { name: ID });
  const answer = await gateway.send(`3000-${ID}.${BASE}`);
  assert.equal(answer.code, "sandbox_not_found");
  assert.deepEqual(gateway.stack.hosted.seen, []);
  assert.ok(
    log.records().some(({ message }) =>
      /another sandbox/.test(String(message))
    ),
  );
  assert.equal((await gateway.send(`3000-${OTHER}.${BASE}`)).status, 200);
});

Deno.test("names that are host labels address sandboxes, whatever the case of the host; others do not", async () => {
  await using gateway = await startHostedGateway();
  const { stack } = gateway;
  addLike(stack, ID, "demo", { name: "my_shop" });
  for (const label of ["my_shop", "MY_shop", ID, ID.toUpperCase()]) {
    const answer = await gateway.send(`3000-${label}.${BASE}`);
    assert.equal(answer.status, 200, label);
  }
  assert.deepEqual(
    new Set(stack.hosted.seen.map(({ host }) => host)),
    new Set([hostOf(stack, ID)]),
  );
  for (const [id, name] of [[OTHER, "UPPER"], [OTHER, "a.b"]] as const) {
    addLike(stack, id, "demo", { name });
    assert.equal(
      (await gateway.send(`3000-${name}.${BASE}`)).status !== 200,
      true,
    );
  }
});

Deno.test("a name addresses a sandbox for an organization's key, and not for the key of a proxy", async () => {
  await using hosted = await startHostedGateway();
  await using own = await startGateway();
  for (const [gateway, status] of [[hosted, 200], [own, 401]] as const) {
    gateway.stack.api.state.sandboxes.set("demo", {
      ...gateway.stack.api.sandbox("demo"),
      name: "shop",
    });
    assert.equal((await gateway.send(DEMO)).status, 200);
    assert.equal((await gateway.send(`3000-shop.${BASE}`)).status, status);
  }
});

Deno.test("a name that looks like a signed token is found once Daytona's proxy knows no such link", async () => {
  await using gateway = await startHostedGateway();
  addLike(gateway.stack, ID, "demo", { name: "npx3godbmubw0l9p" });
  const answer = await gateway.send(`3000-npx3godbmubw0l9p.${BASE}`);
  assert.equal(answer.status, 200, answer.body);
});

Deno.test("the warning and the CORS of Daytona's proxy do not come between an app and its visitors", async () => {
  await using gateway = await startHostedGateway();
  gateway.stack.hosted.showsWarning = true;
  const browser =
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
  const answer = await gateway.send(DEMO, {
    method: "POST",
    path: "/echo",
    body: "a=1",
    headers: {
      "user-agent": browser,
      origin: "https://app.example",
    },
  });
  assert.equal(answer.json().body, "a=1");
  assert.equal(answer.echoed().get("x-daytona-disable-cors"), undefined);
  const origins = answer.rawHeaders.filter((name) =>
    name.toLowerCase() === "access-control-allow-origin"
  );
  assert.equal(origins.length, 1);
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/ws`, {
    headers: { host: DEMO, "user-agent": browser },
  });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  socket.on("error", reject);
  socket.on("open", () => socket.send("hello"));
  socket.on("message", (data: unknown) => resolve(String(data)));
  assert.equal(await promise, "hello");
  const closed = new Promise((resolve) => socket.on("close", resolve));
  socket.close();
  await closed;
});

Deno.test("a warning that comes in spite of that is not passed off as the app's page", async () => {
  await using gateway = await startHostedGateway();
  gateway.stack.hosted.fault = () => ({
    status: 200,
    headers: [
      ["Content-Type", "text/html; charset=utf-8"],
      [
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
      ],
      ["X-Content-Type-Options", "nosniff"],
    ],
    body: "",
  });
  const answer = await gateway.send(DEMO, { method: "POST" });
  assert.equal(answer.code, "runner_refused");
});

Deno.test("what a visitor sends in Daytona's headers does not travel on, and ours are there once", async () => {
  await using gateway = await startHostedGateway();
  const answer = await gateway.send(LOCKED, {
    path: "/echo",
    headers: {
      ...TOKEN,
      "x-daytona-authorization": "Bearer visitors",
      "x-daytona-skip-preview-warning": "1",
      "x-daytona-disable-cors": "1",
      "x-forwarded-host": "evil.example",
      "x-forwarded-proto": "gopher",
      cookie:
        "a=1; daytona-sandbox-auth-locked=x; daytona-preview-page-accepted=true",
    },
  });
  assert.equal(answer.status, 200, answer.body);
  const [seen] = gateway.stack.hosted.seen;
  assert.ok(seen);
  for (
    const [name, values] of [
      ["x-daytona-authorization", []],
      ["x-daytona-preview-token", [KEYS.lockedToken]],
      ["x-daytona-skip-preview-warning", ["true"]],
      ["x-daytona-disable-cors", ["true"]],
      ["x-forwarded-host", [LOCKED]],
      ["x-forwarded-proto", ["http"]],
      ["accept-encoding", ["identity"]],
      ["cookie", ["a=1"]],
    ] as const
  ) assert.deepEqual(valuesOf(seen.lines, name), values, name);
  // What the app sees after all: see docs/run/hosted.md.
  const echoed = answer.echoed();
  assert.equal(echoed.get("x-daytona-preview-token"), undefined);
  assert.equal(echoed.get("x-daytona-skip-preview-warning"), "true");
});

Deno.test("what is stopped, archived, or listens on no port has its code, and an app's own errors are its own", async () => {
  await using gateway = await startHostedGateway();
  const { api, hosted, runner } = gateway.stack;
  const stopped = await gateway.send(`3000-stopped.${BASE}`);
  assert.equal(stopped.code, "sandbox_stopped");
  const closed = await gateway.send(`3999-demo.${BASE}`);
  assert.equal(closed.code, "port_closed");
  const own = await gateway.send(DEMO, { path: "/status/400" });
  assert.deepEqual([own.status, own.code], [400, null]);
  addLike(gateway.stack, ID, "demo");
  const archived = api.state.sandboxes.get(ID);
  assert.ok(archived);
  archived.state = "archived";
  runner.containers.delete(ID);
  const host = `3000-${ID}.${BASE}`;
  assert.equal((await gateway.send(host)).code, "sandbox_archived");
  // A proxy that has known its runner asks that.
  archived.state = "started";
  hosted.forget();
  await gateway.send(host);
  archived.state = "archived";
  assert.equal((await gateway.send(host)).code, "sandbox_archived");
  assert.ok(api.state.runners.has(RUNNER_ID));
});

Deno.test("redirects to the app's address at Daytona, or to what it believes to be, lead back to ours", async () => {
  for (const APP_ORIGIN of ["auto", "pass"]) {
    await using gateway = await startHostedGateway({ APP_ORIGIN });
    const { stack } = gateway;
    const host = await gateway.serve((request, response) => {
      const to = new URLSearchParams(request.url?.slice(2)).get("to") ?? "";
      response.writeHead(302, { location: to }).end();
    });
    const theirs = `https://8000-demo.hosted.localhost:${stack.hosted.port}`;
    for (
      const [to, location] of [
        [`${theirs}/z?a=%20`, `http://${host}/z?a=%20`],
        [`${theirs}.evil/z`, `${theirs}.evil/z`],
        [
          "http://localhost:8000/y",
          APP_ORIGIN === "pass"
            ? "http://localhost:8000/y"
            : `http://${host}/y`,
        ],
      ] as const
    ) {
      const path = `/?to=${encodeURIComponent(to)}`;
      const answer = await gateway.send(host, { path });
      assert.equal(answer.headers.get("location"), location);
    }
  }
});

Deno.test("with the API away for 10 minutes, what is known keeps working, private previews included, and then no longer", async () => {
  using clock = skewClock();
  await using gateway = await startHostedGateway({
    API_CLIENT_TIMEOUT_SEC: "1",
    // Beside the 10 minutes, more than the requests take by themselves.
    PUBLIC_TTL_SEC: "30",
  });
  const { api } = gateway.stack;
  const get = async () => {
    const answers = await Promise.all([
      gateway.send(DEMO),
      gateway.send(LOCKED, { headers: TOKEN }),
    ]);
    return answers.map(({ status }) => status);
  };
  assert.deepEqual(await get(), [200, 200]);
  api.outage = 500;
  for (const minutes of [5, 5]) {
    const { length } = api.calls;
    clock.jump(minutes * 60_000);
    assert.deepEqual(await get(), [200, 200]);
    assert.ok(api.calls.length > length, "the gateway has asked");
  }
  clock.jump(60_000);
  assert.deepEqual(await get(), [503, 503]);
});

Deno.test("the use of a sandbox is left to Daytona's proxy to report, unless it is not to count", async () => {
  await using gateway = await startHostedGateway();
  const { api, hosted } = gateway.stack;
  await gateway.send(DEMO);
  assert.deepEqual(hosted.runners.activity, ["demo"]);
  await gateway.send(DEMO, {
    headers: { "x-daytona-skip-last-activity-update": "true" },
  });
  assert.deepEqual(hosted.runners.activity, ["demo"]);
  assert.equal(api.count("updateLastActivity"), 0);
});

test("of reports that nobody sends, none is counted, and nothing is kept for other gateways", async () => {
  await using redis = await startRedis();
  await using gateway = await startHostedGateway({
    CACHE_URL: `redis://127.0.0.1:${redis.port}`,
  });
  assert.equal((await gateway.send(DEMO)).status, 200);
  await gateway.service.close();
  const keys = await redis.command("KEYS", "*");
  assert.match(String(keys), /hosted-preview/);
  assert.doesNotMatch(String(keys), /last-activity/);
  assert.match(
    gateway.service.renderMetrics(),
    /^porthole_activity_reports_total\{outcome="reported"\} 0$/m,
  );
});

Deno.test("the toolbox is Daytona's own", async () => {
  await using gateway = await startHostedGateway();
  const answer = await gateway.send(BASE, {
    path: "/toolbox/demo/process/execute",
    headers: { authorization: `Bearer ${HOSTED_KEYS.member}` },
  });
  assert.equal(answer.code, "port_not_served");
  assert.deepEqual(gateway.stack.hosted.seen, []);
});

Deno.test("a failure of Daytona's proxy is not taken for the app's, which passes as it is", async () => {
  await using gateway = await startHostedGateway();
  const { hosted } = gateway.stack;
  const json = { "content-type": "application/json" };
  const ofApp = { statusCode: 500, message: "database: no such table" };
  const host = await gateway.serve((_, response) => {
    const body = JSON.stringify(ofApp);
    response.writeHead(500, { ...json, "content-length": body.length });
    response.end(body);
  });
  const app = await gateway.send(host);
  assert.deepEqual([app.status, app.code, app.json()], [500, null, ofApp]);
  hosted.fault = ({ method, target }) => ({
    status: 500,
    body: JSON.stringify({
      statusCode: 500,
      message: "failed to get runner info: connection refused",
      code: "INTERNAL_SERVER_ERROR",
      timestamp: "2026-07-15T12:00:00Z",
      path: target,
      method,
    }),
  });
  for (const method of ["GET", "POST"]) {
    const before = hosted.seen.length;
    const failed = await gateway.send(host, { method });
    assert.deepEqual([failed.status, failed.code], [502, "runner_unreachable"]);
    assert.doesNotMatch(failed.body, /runner info/);
    assert.equal(
      hosted.seen.length,
      before + 1,
      "it may have been carried out",
    );
  }
});

Deno.test("the organization's key and a sandbox's token reach nobody but Daytona", async () => {
  await using log = await collectLog();
  await using gateway = await startHostedGateway({ METRICS_PORT: "0" }, {
    lines: log.lines,
  });
  const { hosted } = gateway.stack;
  hosted.forget();
  const bearer = { authorization: `Bearer ${HOSTED_KEYS.member}` };
  const answers = [
    await gateway.send(LOCKED, { path: "/echo", headers: bearer }),
    await gateway.send(DEMO, { path: "/echo", headers: bearer }),
    await gateway.send(`3000-stopped.${BASE}`),
    await gateway.send(`3999-locked.${BASE}`, { headers: bearer }),
    await gateway.send(LOCKED, { headers: { accept: "text/html" } }),
    await gateway.send(BASE, { path: "/ready" }),
  ];
  assert.equal(answers[0]?.status, 200);
  const said = [
    ...answers.map(({ body, rawHeaders }) => body + rawHeaders.join("\n")),
    JSON.stringify(log.records()),
    await gateway.service.renderMetrics(),
  ].join("\n");
  for (const secret of [HOSTED_KEYS.organization, KEYS.lockedToken]) {
    assert.ok(!said.includes(secret), secret);
  }
  assert.ok(
    hosted.seen.every(({ lines }) =>
      !JSON.stringify(lines).includes(HOSTED_KEYS.organization)
    ),
  );
  assert.ok(!said.includes(ORGANIZATION));
});
