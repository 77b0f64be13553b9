/** What the proxy of a hosted Daytona does that its API does not tell. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import {
  CUSTOM_REGION,
  HOSTED_KEYS,
  startHostedStack,
} from "../../../scripts/stand_in/hosted_stack.ts";
import {
  HOSTED_CA,
  REGION_DOMAIN,
} from "../../../scripts/stand_in/hosted_certificate.ts";
import { dialHosted } from "../../../scripts/stand_in/hosted_dial.ts";
import { listenOnLoopback } from "../../../scripts/stand_in/loopback.ts";
import { KEYS } from "../../../scripts/stand_in/stack.ts";
import { parseOrigin } from "../../../src/http/origin.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import {
  requestOf,
  textOf,
  withClient,
  withCode,
} from "../../support/upstream.ts";
import {
  askHosted,
  connectToHosted,
  echoOf,
  headOf,
  TOKEN,
} from "./hosted_client.ts";

const WRONG = "X-Daytona-Preview-Token: wrong";
const MINUTE_MS = 60_000;

Deno.test("the stand-in's proxy speaks TLS for its domain, a custom region's, and no other", async () => {
  await using stack = await startHostedStack();
  const { port } = stack.hosted;
  const { status } = await askHosted(stack, "3000-demo", {
    domain: REGION_DOMAIN,
  });
  assert.equal(status, 200);
  for (
    const [hostname, caCerts] of [
      ["3000-demo.stranger.localhost", [HOSTED_CA]],
      ["3000-demo.hosted.localhost", []],
    ] as const
  ) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    const tls = await Deno.startTls(conn, { hostname, caCerts: [...caCerts] });
    await assert.rejects(tls.handshake(), Deno.errors.InvalidData);
    tls.close();
  }
});

Deno.test("the stand-in's preview URLs lead to its proxy, and those of a custom region to that one's", async () => {
  await using stack = await startHostedStack();
  const { api, hosted } = stack;
  const ask = async () => {
    const response = await fetch(
      `${api.url}/sandbox/locked/ports/3000/preview-url`,
      { headers: { authorization: `Bearer ${HOSTED_KEYS.organization}` } },
    );
    return (await response.json()).url;
  };
  assert.equal(
    await ask(),
    `https://3000-locked.hosted.localhost:${hosted.port}`,
  );
  api.sandbox("locked").region = CUSTOM_REGION;
  const expected = `https://3000-locked.${REGION_DOMAIN}:${hosted.port}`;
  assert.equal(await ask(), expected);
});

Deno.test("the stand-in's proxy redirects every request without the right token to the login", async (t) => {
  await using stack = await startHostedStack();
  const { provider, hosted, api } = stack;
  api.sandbox("demo").name = "by-name";
  const cases: [string, string, string, string[]][] = [
    ["no token", "GET", "3000-locked", []],
    ["a wrong token", "GET", "3000-locked", [WRONG]],
    ["the wrong token first", "GET", "3000-locked", [WRONG, TOKEN]],
    ["HEAD", "HEAD", "3000-locked", [WRONG]],
    ["a POST", "POST", "3000-locked", [WRONG]],
    ["for JSON", "GET", "3000-locked", [WRONG, "Accept: application/json"]],
    ["an unknown sandbox", "GET", "3000-nowhere", [WRONG]],
    ["a name", "GET", "3000-by-name", ["X-Daytona-Preview-Token: demo-token"]],
    ["a reserved port", "GET", "2280-demo", []],
    ["a WebSocket", "GET", "3000-locked", [
      WRONG,
      "Connection: Upgrade",
      "Upgrade: websocket",
    ]],
    ["a preflight", "OPTIONS", "3000-locked", [
      "Origin: https://x.example",
      "X-Daytona-Disable-CORS: true",
    ]],
  ];
  for (const [name, method, label, headers] of cases) {
    await t.step(name, async () => {
      // A token in the query is part of what it returns to.
      const target = "/a?b=%20&DAYTONA_SANDBOX_AUTH_KEY=wrong";
      const options = { method, headers, target };
      const response = await askHosted(stack, label, options);
      assert.equal(response.status, 307);
      const [location = ""] = response.all("location");
      const { origin, pathname, searchParams } = new URL(location);
      assert.equal(origin + pathname, `${provider.issuer}/auth`);
      assert.equal(
        searchParams.get("redirect_uri"),
        `${hosted.origin()}/callback`,
      );
      const state = Uint8Array.fromBase64(searchParams.get("state") ?? "", {
        alphabet: "base64url",
      });
      const { returnTo, sandboxId } = JSON.parse(
        new TextDecoder().decode(state),
      );
      assert.equal(
        returnTo,
        `https://${label}.hosted.localhost:${hosted.port}${target}`,
      );
      assert.equal(sandboxId, label.replace(/^\d+-/, ""));
      assert.match(
        response.all("set-cookie")[0] ?? "",
        /^pkce_verifier=[^;]+; Path=\/; Domain=hosted\.localhost; Max-Age=300; HttpOnly$/,
      );
      assert.equal(response.body !== "", method === "GET");
    });
  }
});

Deno.test("the stand-in's proxy passes an app's own 401, 404 and empty 502", async () => {
  await using stack = await startHostedStack();
  const server = createServer((message, response) => {
    response.writeHead(Number(message.url?.slice(1)), { "Content-Length": 0 })
      .end();
  });
  await using app = await listenOnLoopback(server);
  stack.runner.containers.get("locked")?.ports.set(8000, app.port);
  for (const status of [401, 404, 502]) {
    const options = { target: `/${status}`, headers: [TOKEN] };
    const response = await askHosted(stack, "8000-locked", options);
    assert.equal(response.status, status);
    assert.equal(response.body, "");
  }
});

Deno.test("the stand-in's proxy keeps the raw target with a token header, and sorts the query with a token in it", async () => {
  await using stack = await startHostedStack();
  const raw = "/echo?y=%20&z=a+b;c&b=%2f";
  const byHeader = await askHosted(stack, "3000-locked", {
    target: raw,
    headers: [TOKEN],
  });
  assert.equal(echoOf(byHeader).url, raw);
  const byQuery = await askHosted(stack, "3000-locked", {
    target: "/echo?b=%20%2f+x&DAYTONA_SANDBOX_AUTH_KEY=locked-token&a=1",
  });
  assert.equal(echoOf(byQuery).url, "/echo?a=1&b=+%2F+x");
});

Deno.test("the stand-in's proxy takes credentials out for private sandboxes, and leaves all of them to public ones", async () => {
  await using stack = await startHostedStack();
  const bearer = `Authorization: Bearer ${HOSTED_KEYS.member}`;
  const private_ = echoOf(
    await askHosted(stack, "3000-locked", { headers: [TOKEN] }),
  );
  assert.deepEqual(private_.all("x-daytona-preview-token"), []);
  const member = echoOf(
    await askHosted(stack, "3000-locked", { headers: [bearer] }),
  );
  assert.deepEqual(member.all("authorization"), []);
  const public_ = echoOf(
    await askHosted(stack, "3000-demo", {
      headers: ["X-Daytona-Preview-Token: demo-token", bearer],
      target: "/echo?DAYTONA_SANDBOX_AUTH_KEY=demo-token",
    }),
  );
  assert.deepEqual(public_.all("x-daytona-preview-token"), ["demo-token"]);
  assert.deepEqual(public_.all("authorization"), [bearer.slice(15)]);
  assert.match(public_.url, /demo-token/);
});

Deno.test("the stand-in's proxy passes bearers that are not Daytona's on, and refuses foreign ones", async () => {
  await using stack = await startHostedStack();
  const own = "Authorization: Bearer of-the-app";
  const passed = await askHosted(stack, "3000-locked", {
    headers: [TOKEN, own],
  });
  assert.deepEqual(echoOf(passed).all("authorization"), [own.slice(15)]);
  const foreign = `Authorization: Bearer ${HOSTED_KEYS.foreigner}`;
  const refused = await askHosted(stack, "3000-locked", { headers: [foreign] });
  assert.equal(refused.status, 307);
});

Deno.test("the stand-in's proxy adds its host and its address to what is forwarded, and shows the app the rest", async () => {
  await using stack = await startHostedStack();
  const echo = echoOf(
    await askHosted(stack, "3000-locked", {
      headers: [
        TOKEN,
        "X-Forwarded-Host: app.example.com",
        "X-Forwarded-Proto: https",
        "X-Forwarded-For: 203.0.113.9",
        "X-Daytona-Skip-Preview-Warning: true",
        "X-Daytona-Disable-CORS: true",
        "X-Daytona-Skip-Last-Activity-Update: true",
        "X-Daytona-Foo: 1",
        "Cookie: pkce_verifier=x; a=b",
        "Accept-Encoding: identity",
      ],
    }),
  );
  assert.deepEqual(echo.all("x-forwarded-host"), [
    "app.example.com",
    `3000-locked.hosted.localhost:${stack.hosted.port}`,
  ]);
  assert.deepEqual(echo.all("x-forwarded-for"), [
    "203.0.113.9, 127.0.0.1, 127.0.0.1, 127.0.0.1",
  ]);
  assert.deepEqual(echo.all("host"), ["localhost:3000"]);
  for (
    const [name, value] of [
      ["x-forwarded-proto", "https"],
      ["x-daytona-skip-preview-warning", "true"],
      ["x-daytona-skip-last-activity-update", "true"],
      ["x-daytona-foo", "1"],
      ["cookie", "pkce_verifier=x; a=b"],
      ["accept-encoding", "identity"],
    ] as const
  ) assert.deepEqual(echo.all(name), [value]);
  assert.deepEqual(echo.all("x-daytona-disable-cors"), []);
  assert.deepEqual(echo.all("x-daytona-authorization"), []);
  assert.deepEqual(stack.hosted.runners.activity, []);
});

Deno.test("the stand-in's proxy counts a request as activity unless it is told not to by exactly `true`", async () => {
  await using stack = await startHostedStack();
  const headers = [TOKEN, "X-Daytona-Skip-Last-Activity-Update: 1"];
  const echo = echoOf(await askHosted(stack, "3000-locked", { headers }));
  assert.deepEqual(echo.all("x-daytona-skip-last-activity-update"), []);
  assert.deepEqual(stack.hosted.runners.activity, ["locked"]);
});

Deno.test("the stand-in's proxy asks for gzip if the client does not say what it takes, and undoes it", async () => {
  await using stack = await startHostedStack();
  const options = { target: "/gzip" };
  const silent = await askHosted(stack, "3000-demo", options);
  assert.deepEqual(silent.all("content-encoding"), []);
  assert.deepEqual(silent.all("content-length"), []);
  const asking = await askHosted(stack, "3000-demo", {
    ...options,
    headers: ["Accept-Encoding: gzip"],
  });
  assert.deepEqual(asking.all("content-encoding"), ["gzip"]);
  const plain = await askHosted(stack, "3000-demo", {
    headers: ["Accept-Encoding: identity"],
  });
  assert.equal(plain.all("content-length").length, 1);
});

Deno.test("the stand-in's proxy tells a stopped sandbox and one in error apart by nothing, and an archived one by its words", async () => {
  await using stack = await startHostedStack();
  const { api, hosted, runner } = stack;
  const ask = async () => {
    const response = await askHosted(stack, "3000-locked", {
      headers: [TOKEN],
    });
    const { timestamp: _, ...body } = JSON.parse(response.body);
    assert.equal(response.status, body.statusCode);
    assert.deepEqual(response.all("content-type"), ["application/json"]);
    return body;
  };
  const sandbox = api.sandbox("locked");
  const container = runner.containers.get("locked");
  assert(container);
  container.started = false;
  sandbox.state = "stopped";
  const stopped = await ask();
  assert.match(stopped.message, /Is the Sandbox started\?$/);
  assert.equal(stopped.path, "/sandboxes/locked/toolbox/proxy/3000/echo");
  sandbox.state = "error";
  assert.deepEqual(await ask(), stopped);
  // A proxy that knows the runner still asks it, and one that does not has no answer.
  sandbox.state = "archived";
  runner.containers.delete("locked");
  assert.match(
    (await ask()).message,
    /^not found: sandbox container not found/,
  );
  hosted.forget();
  assert.equal(
    (await ask()).message,
    "bad request: failed to get runner info: Sandbox with ID locked not found",
  );
});

Deno.test("the stand-in's proxy answers 400 for a destroyed public sandbox, and 307 for a private one", async () => {
  await using stack = await startHostedStack();
  for (const id of ["demo", "locked"]) {
    stack.api.sandbox(id).state = "destroyed";
  }
  const headers = [TOKEN];
  assert.equal((await askHosted(stack, "3000-demo")).status, 400);
  assert.equal(
    (await askHosted(stack, "3000-locked", { headers })).status,
    307,
  );
});

Deno.test("the stand-in's proxy answers an empty 502 for a closed port, and for one that is none", async () => {
  await using stack = await startHostedStack();
  await stack.app[Symbol.asyncDispose]();
  for (const label of ["3000-locked", "0-locked", "99999-locked"]) {
    const response = await askHosted(stack, label, { headers: [TOKEN] });
    assert.equal(response.status, 502);
    assert.deepEqual(response.all("content-length"), ["0"]);
    const names = response.fields.map(([name]) => name.toLowerCase());
    const automatic = ["connection", "content-length", "date", "keep-alive"];
    assert.deepEqual(names.filter((name) => !automatic.includes(name)), []);
  }
});

Deno.test("the stand-in's proxy has the runner refuse a visitor's X-Daytona-Authorization", async () => {
  await using stack = await startHostedStack();
  const headers = [TOKEN, "X-Daytona-Authorization: Bearer x"];
  const { status, body } = await askHosted(stack, "3000-locked", { headers });
  assert.equal(status, 401);
  assert.equal(JSON.parse(body).message, "unauthorized: invalid token");
});

Deno.test("the stand-in's proxy answers 404 at hosts without a port, and its health and toolbox at the base host", async () => {
  await using stack = await startHostedStack();
  const unknown = await askHosted(stack, "", { target: "/x" });
  assert.equal(unknown.status, 404);
  assert.equal(JSON.parse(unknown.body).message, "not found: not found");
  assert.equal((await askHosted(stack, "locked")).status, 404);
  const health = await askHosted(stack, "", { target: "/health" });
  assert.equal(JSON.parse(health.body).status, "ok");
  const toolbox = { target: "/toolbox/locked/version" };
  assert.equal((await askHosted(stack, "", toolbox)).status, 401);
  // A key without any permission is enough for everything in the sandbox.
  const headers = [`Authorization: Bearer ${HOSTED_KEYS.member}`];
  const version = await askHosted(stack, "", { ...toolbox, headers });
  assert.equal(version.status, 200);
});

Deno.test("the stand-in's proxy sets a cookie with every answer to a signed link, which outlives it", async () => {
  const clock = new ManualClock(Date.UTC(2026, 0, 1));
  await using stack = await startHostedStack({ clock });
  const label = `3000-${KEYS.signedToken}`;
  const first = await askHosted(stack, label);
  assert.equal(first.status, 200);
  const [cookie = ""] = first.all("set-cookie");
  assert.match(
    cookie,
    /^daytona-sandbox-auth-signedlockedlink=[^;]+; Path=\/; Domain=3000-signedlockedlink\.hosted\.localhost; Max-Age=3600; HttpOnly$/,
  );
  const container = stack.runner.containers.get("locked");
  assert(container);
  container.started = false;
  const refused = await askHosted(stack, label);
  assert.equal(refused.status, 400);
  assert.equal(refused.all("set-cookie").length, 1);
  container.started = true;

  const elsewhere = await askHosted(stack, `3001-${KEYS.signedToken}`);
  assert.equal(elsewhere.status, 307);
  const link = stack.api.state.signedTokens.get(KEYS.signedToken);
  assert(link);
  link.revoked = true;
  assert.equal((await askHosted(stack, label)).status, 307);
  assert.equal(
    (await askHosted(stack, label, { headers: [TOKEN] })).status,
    307,
  );
  const headers = [`Cookie: a=b; ${cookie.split(";")[0]}`];
  const admitted = await askHosted(stack, label, { headers });
  assert.equal(admitted.status, 200);
  assert.equal(admitted.all("set-cookie").length, 0);
  assert.deepEqual(echoOf(admitted).all("cookie"), [headers[0]?.slice(8)]);
  clock.pass(60 * MINUTE_MS);
  assert.equal((await askHosted(stack, label, { headers })).status, 307);
});

Deno.test("the stand-in's proxy goes on accepting a token that has changed for as long as it is in use", async () => {
  const clock = new ManualClock();
  await using stack = await startHostedStack({ clock });
  const ask = async () =>
    (await askHosted(stack, "3000-locked", { headers: [TOKEN] })).status;
  assert.equal(await ask(), 200);
  stack.api.sandbox("locked").authToken = "next";
  for (let i = 0; i < 3; i++) {
    clock.pass(2 * MINUTE_MS - 1);
    assert.equal(await ask(), 200);
  }
  clock.pass(2 * MINUTE_MS);
  assert.equal(await ask(), 307);
});

Deno.test("the stand-in's proxy goes on showing what is no longer public for an hour after it was last asked", async () => {
  const clock = new ManualClock();
  await using stack = await startHostedStack({ clock });
  const ask = async () => (await askHosted(stack, "3000-demo")).status;
  assert.equal(await ask(), 200);
  stack.api.sandbox("demo").public = false;
  for (let i = 0; i < 2; i++) {
    clock.pass(60 * MINUTE_MS - 1);
    assert.equal(await ask(), 200);
  }
  clock.pass(60 * MINUTE_MS);
  assert.equal(await ask(), 307);
});

Deno.test("the stand-in's proxy refuses a head of 100 kB with an empty 431", async () => {
  await using stack = await startHostedStack();
  const headers = [`X-Long: ${"x".repeat(100_000)}`];
  const { status, body } = await askHosted(stack, "3000-demo", { headers });
  assert.equal(status, 431);
  assert.equal(body, "");
});

Deno.test("the stand-in's proxy does without TLS if it is told to", async () => {
  await using stack = await startHostedStack({ tls: false });
  assert.match(stack.api.state.config.proxyTemplateUrl, /^http:/);
  assert.equal((await askHosted(stack, "3000-demo")).status, 200);
});

Deno.test("the stand-in's sandboxes start behind its proxy, and their old preview token ends", async () => {
  const clock = new ManualClock();
  await using stack = await startHostedStack({ clock });
  const { api } = stack;
  const sandbox = api.sandbox("locked");
  const ask = async (token: string) => {
    const headers = [`X-Daytona-Preview-Token: ${token}`];
    return (await askHosted(stack, "3000-locked", { headers })).status;
  };
  api.lifecycle.stop(sandbox);
  clock.pass(900);
  assert.equal(await ask("locked-token"), 400);
  api.lifecycle.archive(sandbox);
  clock.pass(15_000);
  assert.equal(await ask("locked-token"), 404);
  await api.lifecycle.start(sandbox);
  clock.pass(3500);
  assert.equal(await ask(sandbox.authToken), 200);
  // Still in use here, and nowhere else.
  assert.equal(await ask("locked-token"), 200);
  stack.hosted.forget();
  assert.equal(await ask("locked-token"), 307);
});

Deno.test("the gateway's own client reaches the stand-in's proxy by its names, with one connection for each", async () => {
  await using stack = await startHostedStack();
  const { hosted } = stack;
  await withClient({ dial: dialHosted }, async (client) => {
    const ask = async (origin: string) => {
      const request = requestOf({ origin: parseOrigin(origin) });
      const { status, body } = await client.request(request);
      await textOf(body);
      return status;
    };
    const names = ["3000-demo.hosted.localhost", `3000-demo.${REGION_DOMAIN}`];
    for (const name of [...names, ...names]) {
      assert.equal(await ask(hosted.origin(name)), 404);
    }
    assert.equal(hosted.connections, 2);
    assert.deepEqual(hosted.seen.map(({ serverName }) => serverName), [
      ...names,
      ...names,
    ]);
    await assert.rejects(
      ask(hosted.origin("3000-demo.stranger.localhost")),
      withCode("tls_failed"),
    );
  });
});

Deno.test("the stand-in's proxy passes an app's headers, wherever they lead", async () => {
  await using stack = await startHostedStack();
  const lines = [
    ["Location", "http://localhost:8000/y"],
    ["Set-Cookie", "a=1; Domain=hosted.localhost"],
    ["Set-Cookie", "b=2"],
    ["X-Frame-Options", "DENY"],
    ["Strict-Transport-Security", "max-age=1"],
    ["X-Daytona-Own", "1"],
  ] as const;
  const server = createServer((_, response) => {
    response.writeHead(302, lines.flat()).end();
  });
  await using app = await listenOnLoopback(server);
  stack.runner.containers.get("demo")?.ports.set(8000, app.port);
  const { fields } = await askHosted(stack, "8000-demo");
  const names = lines.map(([name]) => name as string);
  const passed = fields.filter(([name]) => names.includes(name));
  assert.deepEqual(passed, lines);
});

Deno.test("the stand-in's proxy passes what an app streams as it comes", async () => {
  await using stack = await startHostedStack();
  const hostname = "3000-demo.hosted.localhost";
  using stream = await connectToHosted(stack, hostname);
  const target = "/sse?interval=60000";
  await stream.write(headOf(stack, hostname, { target }));
  assert.match(await stream.readUntil("\r\n\r\n"), /^HTTP\/1\.1 200 /);
  assert.match(await stream.readUntil("\n\n"), /id: 1\ndata: /);
});

Deno.test("the stand-in's proxy can be replaced by something that answers otherwise, late, or not at all", async () => {
  await using stack = await startHostedStack();
  const { hosted } = stack;
  hosted.fault = ({ target }) =>
    target === "/reset"
      ? "reset"
      : { status: 503, headers: [["Server", "cdn"]], body: "Busy" };
  const busy = await askHosted(stack, "3000-demo");
  assert.equal(
    `${busy.status} ${busy.body} ${busy.all("server")}`,
    "503 Busy cdn",
  );
  await assert.rejects(askHosted(stack, "3000-demo", { target: "/reset" }));
  hosted.fault = undefined;
  const asked = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  hosted.beforeAnswer = () => (asked.resolve(), answered.promise);
  const late = askHosted(stack, "3000-demo");
  await asked.promise;
  answered.resolve();
  assert.equal((await late).status, 200);
});
