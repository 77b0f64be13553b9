/** What becomes of requests, WebSockets and sessions when a name leads elsewhere; tested on the complete service. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";
import { listenOnLoopback } from "../../../../scripts/stand_in/loopback.ts";
import { KEYS } from "../../../../scripts/stand_in/stack.ts";
import { assertEventually } from "../../../support/assert_eventually.ts";
import { type FakeClock, fakeClock } from "../../../support/fake_clock.ts";
import { BASE, type TestGateway } from "../../../support/gateway.ts";
import {
  CUSTOM,
  LOOK_MS,
  NAMES,
  type NamesFile,
  SAFE,
  SHOP,
  STORE,
  testWithNames as test,
} from "./named_gateway.ts";

/** Time between two rechecks, ms. */
const RECHECK_MS = 25_000;

/** An app that says whose it is, on port 8000 of a sandbox. */
interface ToldApp extends AsyncDisposable {
  /** The requests and handshakes that have reached it. */
  readonly count: number;
  /** Resolves once the second half of `/slow` is waited for. */
  readonly asked: Promise<void>;
  /** Answers what is waited for. */
  go(): void;
}

/** Serves one whose `/slow` waits for {@linkcode ToldApp.go} after its first half; so do WebSockets if it `holds`. */
async function serve(
  { stack: { runner } }: TestGateway,
  sandbox: string,
  { holds = false } = {},
): Promise<ToldApp> {
  const asked = Promise.withResolvers<void>();
  const going = Promise.withResolvers<void>();
  let count = 0;
  const server = createServer((request, response) => {
    count++;
    if (request.url !== "/slow") return void response.end(sandbox);
    response.write("the first half");
    asked.resolve();
    going.promise.then(() => response.end(", and the second"));
  });
  const sockets = new WebSocketServer({
    server,
    verifyClient(_: unknown, accept: (isAccepted: boolean) => void) {
      count++;
      if (holds) going.promise.then(() => accept(true));
      else accept(true);
    },
  });
  sockets.on("connection", (socket: WebSocket) => {
    socket.on("message", () => socket.send(sandbox));
  });
  const listening = await listenOnLoopback(server);
  runner.containers.get(sandbox)?.ports.set(8000, listening.port);
  return {
    get count() {
      return count;
    },
    asked: asked.promise,
    go: () => going.resolve(),
    [Symbol.asyncDispose]: () => listening[Symbol.asyncDispose](),
  };
}

/** Starts to open a WebSocket. */
function open(gateway: TestGateway, host: string): WebSocket {
  const url = `ws://127.0.0.1:${gateway.port}/`;
  return new WebSocket(url, { headers: { host } });
}

/** Opens one. */
async function opened(gateway: TestGateway, host: string): Promise<WebSocket> {
  const socket = open(gateway, host);
  await once(socket, "open");
  return socket;
}

/** Whose app answers on a WebSocket. */
async function answerOn(socket: WebSocket): Promise<string> {
  const answer = once(socket, "message");
  socket.send("whose?");
  return String((await answer)[0]);
}

async function close(socket: WebSocket): Promise<void> {
  const closed = once(socket, "close");
  socket.close();
  await closed;
}

/** Has the shop lead to `locked`, which is public then, and the gateway look. */
async function moveShop(file: NamesFile, clock: FakeClock): Promise<void> {
  await file.point({ [SHOP]: { sandbox: "locked", port: 8000 } });
  clock.pass(LOOK_MS);
}

test(
  "once a name leads elsewhere, its WebSockets end with 1012, a download finishes, and nothing more reaches the old app",
  async (start, file) => {
    using clock = fakeClock();
    await using gateway = await start();
    gateway.stack.api.sandbox("locked").public = true;
    await using old = await serve(gateway, "demo");
    await using next = await serve(gateway, "locked");
    const socket = await opened(gateway, SHOP);
    const others = [
      await opened(gateway, STORE),
      await opened(gateway, `8000-demo.${BASE}`),
    ];
    const download = gateway.send(SHOP, { path: "/slow" });
    await old.asked;
    const closed = once(socket, "close");
    const before = old.count;

    await moveShop(file, clock);
    const [code, reason] = await closed;
    assert.deepEqual([code, String(reason)], [1012, "Preview has moved"]);
    for (const host of [SHOP, `${SHOP}.`, `${SHOP}:8443`]) {
      assert.equal((await gateway.send(host)).body, "locked");
    }
    const again = await opened(gateway, SHOP);
    assert.equal(await answerOn(again), "locked");
    old.go();
    assert.equal((await download).body, "the first half, and the second");
    for (const other of others) assert.equal(await answerOn(other), "demo");
    assert.equal(old.count, before);
    assert.equal(next.count, 4);
    for (const each of [again, ...others]) await close(each);
  },
);

test(
  "a WebSocket that the app accepts after its name has moved ends with 1012 as soon as it is open",
  async (start, file) => {
    using clock = fakeClock();
    await using gateway = await start();
    gateway.stack.api.sandbox("locked").public = true;
    await using old = await serve(gateway, "demo", { holds: true });
    await using _next = await serve(gateway, "locked");
    const sockets = [open(gateway, SHOP), open(gateway, STORE)];
    const [late, other] = sockets.map((each) => ({
      closed: once(each, "close"),
      opened: once(each, "open"),
    }));
    await assertEventually(() => old.count === 2, "both have arrived");

    await moveShop(file, clock);
    old.go();
    await other?.opened;
    const [code] = await late?.closed ?? [];
    assert.equal(code, 1012);
    const [, stays] = sockets;
    assert(stays !== undefined);
    assert.equal(await answerOn(stays), "demo");
    await close(stays);
  },
);

test(
  "a name that is given up leads nowhere, and its WebSockets end",
  async (start, file) => {
    using clock = fakeClock();
    await using gateway = await start();
    await using old = await serve(gateway, "demo");
    const sockets: WebSocket[] = await Promise.all([
      opened(gateway, SHOP),
      opened(gateway, CUSTOM),
    ]);
    const closes = sockets.map((socket) => once(socket, "close"));
    const before = old.count;
    const { [SHOP]: _, [CUSTOM]: __, ...left } = NAMES;
    await file.replace(left);
    clock.pass(LOOK_MS);
    for (const closed of closes) assert.equal((await closed)[0], 1012);
    assert.equal((await gateway.send(SHOP)).code, "bad_host");
    assert.equal((await gateway.send(CUSTOM)).code, "route_not_found");
    assert.equal(old.count, before);
    assert.equal((await gateway.send(STORE)).body, "demo");
  },
);

test(
  "once a name is given up, a download by it ends at the next recheck, and one by another name of the port goes on",
  async (start, file) => {
    using clock = fakeClock();
    await using gateway = await start();
    await using first = await serve(gateway, "demo");
    const cut = gateway.send(SHOP, { path: "/slow" });
    await first.asked;
    const whole = gateway.send(STORE, { path: "/slow" });
    await assertEventually(() => first.count === 2, "both have begun");
    const { [SHOP]: _, ...left } = NAMES;
    await file.replace(left);
    clock.pass(LOOK_MS);
    await assertEventually(
      async () => (await gateway.send(SHOP)).code === "bad_host",
      "the name is gone",
    );
    clock.pass(RECHECK_MS);
    await assert.rejects(cut);
    first.go();
    assert.equal((await whole).body, "the first half, and the second");
  },
);

test(
  "a file that says nothing new, or nothing valid, ends nothing",
  async (start, file) => {
    using clock = fakeClock();
    await using gateway = await start();
    await using _app = await serve(gateway, "demo");
    const socket = await opened(gateway, SHOP);
    for (
      const names of [
        { [`new.${BASE}`]: { sandbox: "demo", port: 1 } },
        { [SHOP]: { sandbox: "demo", port: 2280 } },
      ]
    ) {
      await file.point(names);
      clock.pass(LOOK_MS);
      assert.equal(await answerOn(socket), "demo");
      assert.equal((await gateway.send(SHOP)).body, "demo");
    }
    await close(socket);
  },
);

test(
  "a session of the old sandbox does not open the new one, and an accepted warning is asked again",
  async (start, file) => {
    using clock = fakeClock();
    await using gateway = await start({ PREVIEW_WARNING_ENABLED: "true" });
    const { api } = gateway.stack;
    const second = { ...api.sandbox("locked"), id: "second", authToken: "t2" };
    api.state.sandboxes.set("second", second);
    const navigation = { accept: "text/html", "sec-fetch-mode": "navigate" };
    const acceptance = await gateway.send(SAFE, {
      method: "POST",
      path: "/accept-daytona-preview-warning",
      headers: { "sec-fetch-site": "same-origin", "content-length": "0" },
    });
    const path = `/echo?DAYTONA_SANDBOX_AUTH_KEY=${KEYS.lockedToken}`;
    const cookies = acceptance.headers.getSetCookie();
    const trusting = { ...navigation, cookie: cookies[0]?.split(";")[0] ?? "" };
    const link = await gateway.send(SAFE, { path, headers: trusting });
    assert.equal(link.status, 303);
    const cookie = [...cookies, ...link.headers.getSetCookie()]
      .map((line) => line.split(";")[0]).join("; ");
    const ask = (headers: Record<string, string>) =>
      gateway.send(SAFE, { path: "/echo", headers: { ...headers, cookie } });
    assert.equal((await ask(navigation)).status, 200);

    await file.point({ [SAFE]: { sandbox: "second", port: 3000 } });
    clock.pass(LOOK_MS);
    const asked = await ask(navigation);
    assert.equal(asked.headers.get("x-porthole-warning"), "1");
    const refused = await ask({});
    assert.equal(refused.status, 401);
    assert.notEqual(refused.code, null);
  },
);
