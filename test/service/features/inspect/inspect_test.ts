/** The owner's view of a sandbox, on the complete service. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { WebSocket } from "ws";
import { HOSTED_KEYS } from "../../../../scripts/stand_in/hosted_stack.ts";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import type { InspectedExchange } from "../../../../src/features/inspect/inspected_exchange.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import {
  BASE,
  DEMO,
  LOCKED,
  startGateway,
  type TestGateway,
} from "../../../support/gateway.ts";
import { fromLatin1 } from "../../../support/latin1.ts";
import { LoadClient } from "../../../support/load_client.ts";
import type { LoginGateway } from "../../../support/login_gateway.ts";
import { chunks, type RawStream } from "../../../support/raw_client.ts";
import {
  testInBothWorlds as test,
  testLoginsInBothWorlds,
} from "../../../support/worlds.ts";
import { SESSION_SCOPES } from "../../../support/session_scopes.ts";
import { ownCookies } from "../../../support/own_cookies.ts";

const BEARER = { authorization: `Bearer ${KEYS.user}` };
const MEMBER = { authorization: `Bearer ${HOSTED_KEYS.member}` };

/** A stream of the owner's view. */
interface Watching extends Disposable {
  /** The next event, whichever it is. */
  nextEvent(): Promise<string>;
  /** The next exchange. */
  next(): Promise<InspectedExchange>;
  readonly stream: RawStream;
}

/** The head of a response on the base host, whose body might never end. */
async function headOf(
  gateway: TestGateway,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<string> {
  const lines = Object.entries({ host: BASE, ...headers })
    .map(([name, value]) => `${name}: ${value}\r\n`);
  using stream = await gateway.open(
    `GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`,
  );
  return await stream.readUntil("\r\n\r\n");
}

function statusOf(head: string): number {
  return Number(head.split(" ")[1]);
}

/** Reads the events of a stream one by one, wherever its chunks end. */
function eventsOf(stream: RawStream): () => Promise<string> {
  const parts = chunks(stream);
  let unread = "";
  return async () => {
    let end: number;
    while ((end = unread.indexOf("\n\n")) < 0) {
      const { value, done } = await parts.next();
      if (done) throw new Error("The stream has ended");
      unread += value;
    }
    const event = unread.slice(0, end + 2);
    unread = unread.slice(end + 2);
    return event;
  };
}

/** Begins to watch a sandbox, by a bearer unless other headers are given. */
async function watch(
  gateway: TestGateway,
  sandboxId: string,
  headers: Readonly<Record<string, string>> =
    gateway.stack.environment.PROXY_API_KEY === undefined ? MEMBER : BEARER,
): Promise<Watching> {
  const lines = Object.entries({ host: BASE, ...headers })
    .map(([name, value]) => `${name}: ${value}\r\n`);
  const stream = await gateway.open(
    `GET /inspect/${sandboxId}/events HTTP/1.1\r\n${lines.join("")}\r\n`,
  );
  const head = await stream.readUntil("\r\n\r\n");
  assert.match(head, /^HTTP\/1\.1 200 /);
  assert.match(head, /^content-type: text\/event-stream\r$/im);
  const nextEvent = eventsOf(stream);
  assert.match(await nextEvent(), /event: watching/);
  return {
    stream,
    nextEvent,
    async next() {
      const text = await nextEvent();
      const [, data = ""] = /event: exchange\ndata: (.*)\n\n$/.exec(text) ??
        assert.fail(text);
      return JSON.parse(new TextDecoder().decode(fromLatin1(data)));
    },
    [Symbol.dispose]: () => stream.close(),
  };
}

test("whoever watches a sandbox sees a request with its times, sizes and heads, and none of its credentials", async (startGateway) => {
  await using gateway = await startGateway();
  using watching = await watch(gateway, "locked");
  await gateway.send(LOCKED, {
    path: "/echo?q=1&token=secret-1&DAYTONA_SANDBOX_AUTH_KEY=secret-2",
    method: "POST",
    body: "four",
    headers: {
      "x-daytona-preview-token": KEYS.lockedToken,
      cookie: "app=secret-3",
      accept: "text/x",
    },
  });
  const seen = await watching.next();
  assert.deepEqual(
    {
      method: seen.method,
      port: seen.port,
      target: seen.target,
      status: seen.status,
      isOpen: seen.isOpen,
      end: seen.end,
      by: seen.by,
      receivedBytes: seen.receivedBytes,
    },
    {
      method: "POST",
      port: 3000,
      target: "/echo?q=1&token=(hidden)",
      status: 200,
      isOpen: false,
      end: "complete",
      by: "preview_token",
      receivedBytes: 4,
    },
  );
  assert(seen.sentBytes > 0);
  assert((seen.totalMs ?? -1) >= seen.waitMs);
  const request = new Headers(seen.requestHeaders.map(([a, b]) => [a, b]));
  assert.equal(request.get("accept"), "text/x");
  assert.equal(request.get("cookie"), "app=(hidden)");
  const response = new Headers(seen.responseHeaders.map(([a, b]) => [a, b]));
  assert.equal(response.get("content-type"), "application/json");
  assert.doesNotMatch(JSON.stringify(seen), /secret-|locked-token/);
});

test("a failure is seen with its code and what that means, also of who was not admitted", async (startGateway) => {
  await using gateway = await startGateway();
  using watching = await watch(gateway, "locked");
  await gateway.send(LOCKED);
  const refused = await watching.next();
  assert.deepEqual(
    [refused.status, refused.error, refused.by],
    [401, "login_required", undefined],
  );
  assert.equal(typeof refused.explanation, "string");
  await gateway.send(`4999-locked.${BASE}`, {
    headers: { "x-daytona-preview-token": KEYS.lockedToken },
  });
  const failed = await watching.next();
  assert.deepEqual([failed.port, failed.error], [4999, "port_closed"]);
});

test("a WebSocket is seen when it opens, and again with its close", async (startGateway) => {
  await using gateway = await startGateway();
  using watching = await watch(gateway, "demo");
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/ws`, {
    headers: { host: DEMO },
  });
  await once(socket, "open");
  const opened = await watching.next();
  assert.deepEqual([opened.status, opened.isOpen], [101, true]);
  const echoed = once(socket, "message");
  socket.send("hello");
  await echoed;
  socket.close(4001);
  const closed = await watching.next();
  assert.equal(closed.id, opened.id);
  assert.deepEqual(
    [closed.isOpen, closed.tunnel?.by, closed.tunnel?.code],
    [false, "client", 4001],
  );
  assert.equal(closed.tunnel?.messagesSent, 1);
});

Deno.test("a response that lasts is seen when it begins, and again when it ends", async () => {
  await using gateway = await startGateway();
  using watching = await watch(gateway, "demo");
  using stream = await gateway.open(
    `GET /sse HTTP/1.1\r\nHost: ${DEMO}\r\n\r\n`,
  );
  await stream.readUntil("data: ");
  const begun = await watching.next();
  assert.deepEqual([begun.status, begun.isOpen, begun.end], [
    200,
    true,
    undefined,
  ]);
  stream.close();
  const over = await watching.next();
  assert.deepEqual([over.id, over.isOpen, over.end], [
    begun.id,
    false,
    "client_gone",
  ]);
});

/** What a browser sends with each request of a page. */
const BROWSER = {
  "user-agent":
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Safari/537.36",
  "sec-ch-ua": '"Chromium";v="149", "Not)A;Brand";v="24"',
  "sec-ch-ua-mobile": "?0",
  "sec-ch-ua-platform": '"Linux"',
  "accept": "*/*",
  "accept-encoding": "gzip, deflate, br, zstd",
  "accept-language": "en-GB,en;q=0.9,de;q=0.8",
  "sec-fetch-dest": "script",
  "sec-fetch-mode": "cors",
  "sec-fetch-site": "same-origin",
  "referer": `http://${DEMO}/some/page/of/the/app?with=a&query=too`,
  "cookie": "theme=dark; session=0123456789abcdef0123456789abcdef",
};

/** Sends requests for an app at once, on as many connections. */
async function sendAtOnce(
  { port }: TestGateway,
  paths: readonly string[],
): Promise<void> {
  using client = new LoadClient(port);
  const outcomes = await Promise.all(
    paths.map((path) => client.send({ host: DEMO, path, headers: BROWSER })),
  );
  assert.deepEqual(new Set(outcomes), new Set(["200"]));
}

Deno.test("a page that loads 300 files at once is seen whole", async () => {
  await using gateway = await startGateway();
  using watching = await watch(gateway, "demo");
  const paths = Array.from({ length: 300 }, (_, nth) => `/gzip?${nth}`);
  await sendAtOnce(gateway, paths);
  const seen = new Set<string>();
  for (const _ of paths) seen.add((await watching.next()).target);
  assert.deepEqual(seen, new Set(paths));
});

Deno.test("of a flood a sample is seen, and the number of the others; failures, WebSockets and what breaks off stay", async () => {
  using clock = fakeClock(); // nothing regains its share
  await using gateway = await startGateway();
  using watching = await watch(gateway, "demo");
  for (let round = 0; round < 6; round++) {
    await sendAtOnce(gateway, Array(100).fill("/gzip"));
    for (let nth = 0; nth < 100 && round < 5; nth++) await watching.next();
  }
  using stream = await gateway.open(
    `GET /sse HTTP/1.1\r\nHost: ${DEMO}\r\n\r\n`,
  );
  await stream.readUntil("data: ");
  stream.close();
  const brokenOff = await watching.next();
  assert.deepEqual([brokenOff.isOpen, brokenOff.end], [false, "client_gone"]);
  await gateway.send(DEMO, { path: "/status/404" });
  assert.equal((await watching.next()).status, 404);
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/ws`, {
    headers: { host: DEMO },
  });
  await once(socket, "open");
  assert.equal((await watching.next()).status, 101);
  socket.close();
  assert.equal((await watching.next()).isOpen, false);
  clock.pass(1000);
  assert.equal(
    await watching.nextEvent(),
    `event: missed\ndata: {"count":100}\n\n`,
  );
});

Deno.test("nothing of another sandbox is seen, and nothing of the view itself", async () => {
  await using gateway = await startGateway();
  using watching = await watch(gateway, "locked");
  await gateway.send(DEMO);
  await gateway.send(BASE, { path: "/inspect/locked", headers: BEARER });
  await gateway.send(LOCKED, { path: "/the-first" });
  assert.equal((await watching.next()).target, "/the-first");
});

test("links and tokens do not open the view, though they open the app", async (startGateway) => {
  await using gateway = await startGateway();
  const token = KEYS.lockedToken;
  for (
    const [path, headers] of [
      ["/inspect/locked", {}],
      ["/inspect/demo", {}], // public
      ["/inspect/locked", { "x-daytona-preview-token": token }],
      [`/inspect/locked?DAYTONA_SANDBOX_AUTH_KEY=${token}`, {}],
      [`/inspect/${KEYS.signedToken}`, {}],
      ["/inspect/locked", { authorization: `Bearer ${token}` }],
    ] as const
  ) {
    for (const rest of ["", "/events"]) {
      const [route = "", query] = path.split("?");
      const target = route + rest + (query === undefined ? "" : `?${query}`);
      const { status } = await gateway.send(BASE, { path: target, headers });
      assert.equal(status, 401, `${target} ${JSON.stringify(headers)}`);
    }
  }
  // The session that a link makes is for the app as well.
  const { headers } = await gateway.send(LOCKED, {
    path: `/?DAYTONA_SANDBOX_AUTH_KEY=${token}`,
  });
  const [session = ""] = headers.getSetCookie();
  const [, sealed = ""] = /^[^=]+=([^;]+)/.exec(session) ?? [];
  const cookies = ownCookies({
    scheme: gateway.stack.environment.PROXY_PROTOCOL === "http"
      ? "http"
      : "https",
  });
  assert.notEqual(sealed, "");
  const planted = await gateway.send(BASE, {
    path: "/inspect/locked",
    headers: { cookie: `${cookies.loginSession("locked")}=${sealed}` },
  });
  assert.equal(planted.status, 401);
});

/** Opens the view in a browser that logs in as alice, and comes back to it. */
async function openView(gateway: LoginGateway) {
  const browser = gateway.browser();
  const view = gateway.at("", "/inspect/locked");
  const { page } = await browser.openAs("alice", view);
  assert.equal(page.url, view);
  assert.equal(page.status, 200);
  return { browser, page };
}

testLoginsInBothWorlds(
  "a browser that has not logged in does so, and comes back to the view; who has no access does not see it",
  async (start) => {
    await using gateway = await start();
    const { page } = await openView(gateway);
    assert.match(page.body, /<h1>Requests to .*locked/);
    const policy = page.headers.get("content-security-policy") ?? "";
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.match(policy, /script-src 'sha256-[^' ]+'$/);

    const mallory = gateway.browser();
    const second = await mallory.open(gateway.at("", "/inspect/locked"));
    const denied = await mallory.logIn(second.page, "mallory");
    assert.notEqual(denied.page.status, 200);
  },
);

if (SESSION_SCOPES.includes("host")) {
  testLoginsInBothWorlds(
    "with a session for each host, the base host's own opens the view",
    async (start) => {
      await using gateway = await start({ SESSION_SCOPE: "host" });
      const { browser } = await openView(gateway);
      const again = await browser.open(gateway.at("", "/inspect/locked"));
      assert.deepEqual(again.hops.map(({ status }) => status), [200]);
    },
  );
}

testLoginsInBothWorlds(
  "a login watches a sandbox by a name that nobody has looked up, and none that there is not",
  async (start) => {
    await using gateway = await start();
    const { browser } = await openView(gateway);
    const own = new URL(gateway.at("", "/"));
    const cookie = browser.cookieAt(new URL("/inspect/locked", own));
    const headers = { host: own.host, cookie };
    using watching = await watch(gateway, "locked", headers);
    await gateway.send(LOCKED);
    assert.equal((await watching.next()).error, "login_required");
    const token = { "x-daytona-preview-token": KEYS.lockedToken };
    await gateway.send(LOCKED, { path: "/echo", headers: token });
    assert.equal((await watching.next()).by, "preview_token");

    const other = gateway.browser();
    const { page } = await other.openAs(
      "alice",
      gateway.at("", "/inspect/nobody"),
    );
    assert.equal(page.status, 404);
  },
);

testLoginsInBothWorlds(
  "pages of apps cannot use their visitor's session to watch",
  async (start) => {
    await using gateway = await start();
    const browser = gateway.browser();
    await browser.openAs("alice", gateway.at("3000-locked", "/echo"));
    const own = new URL(gateway.at("", "/"));
    const cookie = browser.cookieAt(new URL("/inspect/locked", own));
    assert.notEqual(cookie, "");
    const statusFor = async (
      headers: Record<string, string>,
      path = "/events",
    ) => {
      const sent = { host: own.host, cookie, ...headers };
      const head = await headOf(gateway, `/inspect/locked${path}`, sent);
      assert.doesNotMatch(head, /access-control-allow-origin/i);
      return statusOf(head);
    };
    const app = gateway.at("3000-locked", "");
    for (
      const headers of [
        {
          "sec-fetch-site": "same-site",
          "sec-fetch-mode": "cors",
          origin: app,
        },
        { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" },
        { origin: app }, // a browser without Fetch Metadata
        { "sec-fetch-site": "same-origin", "sec-fetch-dest": "iframe" },
      ]
    ) assert.equal(await statusFor(headers), 401, JSON.stringify(headers));
    assert.equal(
      await statusFor({
        "sec-fetch-site": "same-site",
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "iframe",
        accept: "text/html",
      }, ""),
      401,
    );
    using _ = await watch(gateway, "locked", {
      host: own.host,
      cookie,
      "sec-fetch-site": "same-origin",
      "sec-fetch-mode": "cors",
      "sec-fetch-dest": "empty",
    });
  },
);

Deno.test("the stream ends when its watcher loses access", async () => {
  using clock = fakeClock();
  await using gateway = await startGateway({ TOKEN_TTL_SEC: "1" });
  using watching = await watch(gateway, "locked");
  gateway.stack.api.state.users.set(KEYS.user, new Set());
  clock.pass(25_000);
  const rest = await watching.stream.readToEnd();
  assert.doesNotMatch(rest, /event:/);
  const again = await headOf(gateway, "/inspect/locked/events", BEARER);
  assert.equal(statusOf(again), 401);
});

Deno.test("watching does not keep a sandbox running, and a drain ends it", async () => {
  await using gateway = await startGateway();
  using watching = await watch(gateway, "locked");
  await gateway.service.drain(0, 0);
  await watching.stream.readToEnd();
  assert.equal(gateway.stack.api.count("updateLastActivity"), 0);
});

Deno.test("hostile targets and headers arrive as data, and cannot forge an event", async () => {
  await using gateway = await startGateway();
  using watching = await watch(gateway, "demo");
  const target = `/<script>alert(1)</script>"'%0Aevent:%20x`;
  using stream = await gateway.open(
    `GET ${target} HTTP/1.1\r\nHost: ${DEMO}\r\nX-Evil: data: {}\xe9<img src=x>\r\n\r\n`,
  );
  await stream.readUntil("\r\n\r\n");
  const seen = await watching.next();
  assert.equal(seen.target, target);
  const evil = seen.requestHeaders.find(([name]) => name === "x-evil");
  assert.equal(evil?.[1], "data: {}é<img src=x>");
});

Deno.test("who opens the view after a failure sees it, unless INSPECT_FAILURES is false; nothing else of before, and nothing of who was not admitted", async () => {
  for (const INSPECT_FAILURES of ["true", "false"]) {
    await using gateway = await startGateway({ INSPECT_FAILURES });
    gateway.stack.runner.containers.get("locked")?.ports.set(3000, 1);
    const headers = { "x-daytona-preview-token": KEYS.lockedToken };
    await gateway.send(LOCKED, { path: "/a?token=secret-1", headers });
    await gateway.send(LOCKED, { path: "/refused" });
    await gateway.send(DEMO, { path: "/echo" });
    using watching = await watch(gateway, "locked");
    await gateway.send(LOCKED, { path: "/b", headers });
    const first = await watching.next();
    const isKept = INSPECT_FAILURES === "true";
    assert.equal(first.target, isKept ? "/a?token=(hidden)" : "/b");
    assert.equal(first.error, "port_closed");
    assert.ok(first.responseHeaders.length > 0);
    if (isKept) assert.equal((await watching.next()).target, "/b");
  }
});

Deno.test("INSPECT=false leaves no trace of the view", async () => {
  await using gateway = await startGateway({ INSPECT: "false" });
  for (const path of ["/inspect/locked", "/inspect/locked/events"]) {
    const { status, code } = await gateway.send(BASE, {
      path,
      headers: BEARER,
    });
    assert.deepEqual([status, code], [404, "route_not_found"]);
  }
});

Deno.test("the view is read only, and has a limit of watchers", async () => {
  await using gateway = await startGateway();
  const { code } = await gateway.send(BASE, {
    path: "/inspect/locked",
    method: "POST",
    headers: BEARER,
  });
  assert.equal(code, "method_not_allowed");
  using watchers = new DisposableStack();
  for (let i = 0; i < 8; i++) {
    watchers.use(await watch(gateway, "locked"));
  }
  const ninth = await headOf(gateway, "/inspect/locked/events", BEARER);
  assert.match(ninth, /^x-porthole-error: overloaded\r$/im);
});
