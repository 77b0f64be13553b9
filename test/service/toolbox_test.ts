/** The toolbox on the base host, tested on the complete service, with the demo app as the daemon. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { WebSocket } from "ws";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { TOOLBOX_PORT } from "../../src/address/grammar.ts";
import { BASE, startGateway, type TestGateway } from "../support/gateway.ts";

const BEARER = { authorization: `Bearer ${KEYS.user}` };

async function startToolbox(
  environment: Record<string, string> = {},
): Promise<TestGateway> {
  const gateway = await startGateway(environment);
  const { app, runner } = gateway.stack;
  for (const { ports } of runner.containers.values()) {
    ports.set(TOOLBOX_PORT, app.port);
  }
  return gateway;
}

Deno.test("each credential opens the toolbox, and none of them travels on", async () => {
  await using gateway = await startToolbox();
  const token = KEYS.lockedToken;
  for (
    const [path, headers] of [
      ["/echo?a", BEARER],
      ["/echo?a", { "x-daytona-preview-token": token }],
      [`/echo?DAYTONA_SANDBOX_AUTH_KEY=${token}&a`, {}],
      ["/echo?a", { "x-daytona-preview-token": "wrong", ...BEARER }],
      ["/echo?a", { "x-daytona-preview-token": token, ...BEARER }],
    ] as [string, Record<string, string>][]
  ) {
    const answer = await gateway.send(BASE, {
      path: `/toolbox/locked${path}`,
      headers,
    });
    assert.equal(answer.status, 200);
    const { target, headers: fields } = gateway.stack.runner.seen.at(-1) ?? {};
    assert.equal(target, "/sandboxes/locked/toolbox/echo?a");
    const names = fields?.map(([name]) => name);
    assert.equal(names?.includes("authorization"), false);
    assert.doesNotMatch(JSON.stringify(fields), new RegExp(token));
  }
});

Deno.test("the toolbox of a public sandbox is as private as any, and nobody is sent to log in", async () => {
  await using gateway = await startToolbox();
  const navigation = { accept: "text/html", "sec-fetch-mode": "navigate" };
  for (const headers of [{}, navigation]) {
    const answer = await gateway.send(BASE, {
      path: "/toolbox/demo/echo",
      headers,
    });
    assert.deepEqual([answer.status, answer.code], [401, "login_required"]);
  }
  assert.equal(gateway.stack.runner.seen.length, 0);
});

Deno.test("a signed link opens no toolbox", async () => {
  await using gateway = await startToolbox();
  const answer = await gateway.send(BASE, {
    path: `/toolbox/${KEYS.signedToken}/echo`,
  });
  assert.equal(answer.status, 401);
  assert.equal(
    gateway.stack.api.count("getSandboxIdFromSignedPreviewUrlToken"),
    0,
  );
});

Deno.test("the toolbox redirects nobody who has a preview token in the query", async () => {
  await using gateway = await startToolbox();
  const answer = await gateway.send(BASE, {
    path: `/toolbox/locked/echo?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`,
    headers: { accept: "text/html" },
  });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.has("set-cookie"), false);
});

Deno.test("no path leads out of the toolbox, however it is spelled", async () => {
  await using gateway = await startToolbox();
  const { seen } = gateway.stack.runner;
  for (
    const [path = "", target] of [
      ["/a/../../../b", "/sandboxes/demo/toolbox/b"],
      [
        "/%2e%2e/%2e%2e/locked/toolbox/x",
        "/sandboxes/demo/toolbox/locked/toolbox/x",
      ],
      ["/..%2f..%2flocked", undefined],
      ["/..\\..\\locked", undefined],
      ["/%2e%2e%5clocked", undefined],
    ]
  ) {
    const before = seen.length;
    const answer = await gateway.send(BASE, {
      path: `/toolbox/demo${path}`,
      headers: BEARER,
    });
    if (target === undefined) {
      assert.equal(answer.code, "bad_target", path);
      assert.equal(seen.length, before);
    } else assert.equal(seen.at(-1)?.target, target);
  }
  for (const id of ["%2e%2e", "..", "a%2Fb", ""]) {
    const answer = await gateway.send(BASE, {
      path: `/toolbox/${id}/x`,
      headers: BEARER,
    });
    assert.equal(answer.code, "bad_target", id);
  }
});

Deno.test("uploads stream to the toolbox with their length or in chunks, and any method passes", async () => {
  await using gateway = await startToolbox();
  const body = new Uint8Array(300_000).fill(7);
  for (const headers of [{}, { "transfer-encoding": "chunked" }]) {
    const answer = await gateway.send(BASE, {
      method: "PUT",
      path: "/toolbox/demo/upload",
      headers: { ...BEARER, ...headers },
      body,
    });
    assert.equal(answer.status, 200);
    assert.equal(answer.json().bytes, body.length);
  }
});

Deno.test("a WebSocket goes to the toolbox, with the key and subprotocol as the SDK sends them", async () => {
  await using gateway = await startToolbox();
  const url = `ws://127.0.0.1:${gateway.port}/toolbox/locked/ws` +
    `?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`;
  const socket = new WebSocket(url, ["X-Daytona-SDK-Version~1.2.3"], {
    headers: { host: BASE },
  });
  await once(socket, "open");
  assert.equal(socket.protocol, "X-Daytona-SDK-Version~1.2.3");
  socket.send("hello");
  const [message] = await once(socket, "message");
  assert.equal(String(message), "hello");
  const closed = once(socket, "close");
  socket.close();
  await closed;
  assert.equal(
    gateway.stack.runner.seen.at(-1)?.target,
    "/sandboxes/locked/toolbox/ws",
  );
});

Deno.test("a terminal is created with as many subprotocols as a head may hold, which is how the SDK sends its environment", async () => {
  await using gateway = await startGateway();
  const { runner } = gateway.stack;
  const path = `/toolbox/locked/process/pty/create-connect?id=t` +
    `&DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`;
  const url = `ws://127.0.0.1:${gateway.port}${path}`;
  const connect = (bytes: number) => {
    const envs = btoa("x".repeat(bytes * 3 / 4)).replaceAll("=", "");
    const offer = ["X-Daytona-Pty-Exit-Control", `X-Daytona-Pty-Envs~${envs}`];
    const socket = new WebSocket(url, offer, { headers: { host: BASE } });
    return { socket, offer };
  };
  const { socket, offer } = connect(30_000);
  await once(socket, "open");
  const sent = runner.seen.at(-1)?.headers.find(([name]) =>
    name === "sec-websocket-protocol"
  );
  assert.equal(sent?.[1], offer.join(","));
  const closed = once(socket, "close");
  socket.terminate();
  await closed;

  const [refused] = await once(connect(40_000).socket, "error");
  assert.match(String(refused), /431/);
});

Deno.test("a page of any origin may use the toolbox with a key of its own, after a preflight", async () => {
  await using gateway = await startToolbox();
  const origin = "https://app.example.com";
  const preflight = await gateway.send(BASE, {
    method: "OPTIONS",
    path: "/toolbox/demo/process/execute",
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization",
    },
  });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get("access-control-allow-origin"), origin);
  assert.equal(
    preflight.headers.get("access-control-allow-headers"),
    "authorization",
  );
  const answer = await gateway.send(BASE, {
    path: "/toolbox/demo/echo",
    headers: { ...BEARER, origin },
  });
  assert.equal(answer.headers.get("access-control-allow-origin"), origin);
  assert.equal(answer.headers.has("access-control-allow-credentials"), false);
});

Deno.test("a toolbox's response cannot act on the host of logins, and its Location leads back to the toolbox", async () => {
  await using gateway = await startToolbox();
  await gateway.serve((request, response) => {
    response.writeHead(request.url === "/moved" ? 307 : 200, {
      "content-type": "text/html",
      "set-cookie": "porthole=1; Domain=proxy.localhost",
      "clear-site-data": '"*"',
      ...(request.url === "/moved" ? { location: "/files?x" } : {}),
    }).end("<script>alert(1)</script>");
  });
  const { ports } = gateway.stack.runner.containers.get("demo") ?? {};
  ports?.set(TOOLBOX_PORT, ports.get(8000) ?? 0);
  const page = await gateway.send(BASE, {
    path: "/toolbox/demo/files/download?path=x.html",
    headers: BEARER,
  });
  assert.equal(page.headers.get("content-security-policy"), "sandbox");
  assert.equal(page.headers.has("set-cookie"), false);
  assert.equal(page.headers.has("clear-site-data"), false);
  const moved = await gateway.send(BASE, {
    path: "/toolbox/demo/moved",
    headers: BEARER,
  });
  assert.equal(moved.status, 307);
  assert.equal(moved.headers.get("location"), "/toolbox/demo/files?x");
});

Deno.test("TOOLBOX_ONLY_MODE serves the toolbox, by path and by host, and no other port", async () => {
  await using gateway = await startToolbox({ TOOLBOX_ONLY_MODE: "true" });
  const byPath = await gateway.send(BASE, {
    path: "/toolbox/demo/echo",
    headers: BEARER,
  });
  const byHost = await gateway.send(`2280-demo.${BASE}`, {
    path: "/echo",
    headers: BEARER,
  });
  assert.deepEqual([byPath.status, byHost.status], [200, 200]);
  for (const port of [3000, 22222, 22800]) {
    const answer = await gateway.send(`${port}-demo.${BASE}`, {
      headers: BEARER,
    });
    assert.deepEqual([answer.status, answer.code], [404, "port_not_served"]);
  }
});

Deno.test("the toolbox is served on a host that is none of ours, as a balancer's own name is", async () => {
  await using gateway = await startToolbox();
  const answer = await gateway.send("10.0.0.7:4000", {
    path: "/toolbox/demo/echo",
    headers: BEARER,
  });
  assert.equal(answer.status, 200);
});
