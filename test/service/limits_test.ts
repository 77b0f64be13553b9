/** Limits, in particular for unauthenticated clients, tested on the complete service. */
import assert from "node:assert/strict";
import { setImmediate as turnOfEventLoop } from "node:timers/promises";
import { KEYS } from "../../scripts/stand_in/stack.ts";
import { assertEventually } from "../support/assert_eventually.ts";
import { fakeClock } from "../support/fake_clock.ts";
import {
  BASE,
  DEMO,
  IMPATIENT,
  LOCKED,
  startGateway,
} from "../support/gateway.ts";
import { headOf } from "../support/load_client.ts";
import { testByNameToo as test } from "../support/named_worlds.ts";
import {
  type RawStream,
  readResponse,
  valuesOf,
} from "../support/raw_client.ts";
import { handshakeOf } from "../support/raw_websocket.ts";

Deno.test("random labels from one address make a bounded number of API calls, and then 429", async () => {
  await using gateway = await startGateway({ REFUSALS_PER_MINUTE: "30" });
  const { api } = gateway.stack;
  const statuses = new Map<number, number>();
  for (let batch = 0; batch < 10; batch++) {
    await Promise.all(Array.from({ length: 40 }, async () => {
      const label = crypto.randomUUID();
      const { status, headers } = await gateway.send(
        `3000-${label}.proxy.localhost`,
      );
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status === 429) assert(Number(headers.get("retry-after")) > 0);
    }));
  }
  assert.deepEqual([...statuses.keys()].sort(), [401, 429]);
  // One for each token of the bucket, and for those that are refilled while the test runs.
  assert(api.count("isSandboxPublic") < 60);
  assert.equal(statuses.get(401), api.count("isSandboxPublic"));
  assert(api.count("getRunnerBySandboxId") <= api.count("isSandboxPublic"));
});

test("a client over its budget of refusals still gets what is in the cache", async (startGateway) => {
  await using gateway = await startGateway({ REFUSALS_PER_MINUTE: "3" });
  const headers = { "x-daytona-preview-token": KEYS.lockedToken };
  const good = () => gateway.send(LOCKED, { path: "/echo", headers });
  assert.equal((await good()).status, 200);
  for (let i = 0; i < 10; i++) {
    await gateway.send(`3000-${crypto.randomUUID()}.proxy.localhost`);
  }
  assert.equal((await good()).status, 200);
  const guess = await gateway.send(LOCKED, {
    headers: { "x-daytona-preview-token": "guess" },
  });
  assert.equal(guess.code, "too_many_refusals");
});

/** What a page has its visitor's browser ask for. */
const BY_PAGE = {
  loads: {
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "no-cors",
    "sec-fetch-dest": "image",
  },
  prefetches: {
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
    "sec-purpose": "prefetch",
  },
  "prefetches by speculation rules": {
    "sec-fetch-site": "none",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
    "sec-purpose": "prefetch",
  },
};

for (const [does, headers] of Object.entries(BY_PAGE)) {
  test(`S8: whatever a page ${does}, its visitor's previews and tokens go on`, async (startGateway) => {
    await using gateway = await startGateway({ REFUSALS_PER_MINUTE: "3" });
    let refused: string | null = null;
    for (let i = 0; i < 20 && refused !== "too_many_refusals"; i++) {
      const host = `3000-${crypto.randomUUID()}.proxy.localhost`;
      refused = (await gateway.send(host, { headers })).code;
    }
    assert.equal(refused, "too_many_refusals");
    const token = { "x-daytona-preview-token": KEYS.lockedToken };
    const opened = await gateway.send(LOCKED, {
      path: "/echo",
      headers: token,
    });
    assert.equal(opened.status, 200);
    const shown = await gateway.send(DEMO, {
      path: "/echo",
      headers: {
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
      },
    });
    assert.equal(shown.status, 200);
  });
}

test("a full gateway says so", async (startGateway) => {
  await using gateway = await startGateway({ MAX_CONCURRENT_EXCHANGES: "1" });
  using stream = await gateway.open(
    `GET /sse HTTP/1.1\r\nHost: ${DEMO}\r\n\r\n`,
  );
  await stream.readUntil("\r\n\r\n");
  const answer = await gateway.send(DEMO);
  assert.equal(answer.status, 503);
  assert.equal(answer.code, "overloaded");
  assert.equal(answer.headers.get("retry-after"), "2");
});

test("a sandbox at its limit of exchanges leaves other sandboxes alone", async (startGateway) => {
  await using gateway = await startGateway({ MAX_EXCHANGES_PER_SANDBOX: "1" });
  using stream = await gateway.open(
    `GET /sse HTTP/1.1\r\nHost: ${DEMO}\r\n\r\n`,
  );
  await stream.readUntil("\r\n\r\n");
  const full = await gateway.send(DEMO);
  assert.equal(full.status, 503);
  assert.equal(full.code, "sandbox_overloaded");
  const other = await gateway.send(LOCKED, {
    path: "/echo",
    headers: { "x-daytona-preview-token": KEYS.lockedToken },
  });
  assert.equal(other.status, 200);
});

for (const owner of ["the same", "another"]) {
  Deno.test(`an organization at its limit of exchanges: the next one, of a sandbox of ${owner} organization`, async () => {
    await using gateway = await startGateway({
      MAX_EXCHANGES_PER_ORGANIZATION: "1",
    });
    const locked = gateway.stack.api.state.sandboxes.get("locked");
    assert(locked);
    if (owner === "another") locked.organizationId = owner;
    const headers = { "x-daytona-preview-token": KEYS.lockedToken };
    const ask = () => gateway.send(LOCKED, { path: "/echo", headers });
    {
      using stream = await gateway.open(
        `GET /sse HTTP/1.1\r\nHost: ${DEMO}\r\n\r\n`,
      );
      await stream.readUntil("\r\n\r\n");
      const { status, code } = await ask();
      assert.deepEqual(
        { status, code },
        owner === "another"
          ? { status: 200, code: null }
          : { status: 503, code: "organization_overloaded" },
      );
      using tunnel = await gateway.open(handshakeOf(DEMO, "/ws"));
      assert.match(await tunnel.readUntil("\r\n\r\n"), /^HTTP\/1.1 503 /);
    }
    await assertEventually(
      async () => (await ask()).status === 200,
      "the stream has given its place back",
    );
  });
}

test("a client that comes back finds the place of its WebSocket that ends meanwhile", async (startGateway) => {
  await using gateway = await startGateway({ MAX_TUNNELS: "1" });
  const handshake = handshakeOf(DEMO, "/ws");
  using old = await gateway.open(handshake);
  assert.match(await old.readUntil("\r\n\r\n"), /^HTTP\/1.1 101 /);
  using back = await gateway.open(handshake);
  // By this answer, the handshake has come.
  assert.equal((await gateway.send(DEMO, { path: "/echo" })).status, 200);
  old.close();
  assert.match(await back.readUntil("\r\n\r\n"), /^HTTP\/1.1 101 /);
});

test("S3: a client at its limit leaves other clients alone", async (startGateway) => {
  await using gateway = await startGateway({
    MAX_EXCHANGES_PER_CLIENT: "1",
    MAX_TUNNELS_PER_CLIENT: "1",
    TRUSTED_PROXIES: "127.0.0.1",
  }, IMPATIENT);
  function open(path: string, address: string) {
    const headers = { "X-Forwarded-For": address };
    return gateway.open(
      path === "/ws"
        ? handshakeOf(DEMO, path, headers)
        : headOf({ host: DEMO, path, headers }),
    );
  }
  using tunnel = await open("/ws", "2001:db8::1");
  assert.match(await tunnel.readUntil("\r\n\r\n"), /^HTTP\/1.1 101 /);
  // The same /64.
  using second = await open("/ws", "2001:db8::2");
  const refused = await second.readUntil("\r\n\r\n");
  assert.match(refused, /^HTTP\/1.1 429 /);
  assert.match(refused, /x-porthole-error: client_overloaded\r\n/);
  assert.match(refused, /retry-after: 2\r\n/);
  using stream = await open("/sse", "2001:db8::3");
  assert.match(await stream.readUntil("\r\n\r\n"), /^HTTP\/1.1 200 /);
  using third = await open("/echo", "2001:db8::4");
  assert.match(await third.readUntil("\r\n\r\n"), /^HTTP\/1.1 429 /);
  using other = await open("/ws", "2001:db8:0:1::1");
  assert.match(await other.readUntil("\r\n\r\n"), /^HTTP\/1.1 101 /);
});

test("a long target, many fields and long ones are refused, each with its own code", async (startGateway) => {
  await using gateway = await startGateway({
    MAX_TARGET_BYTES: "1000",
    MAX_HEADER_BYTES: "1000",
    MAX_HEADER_FIELDS: "10",
  });
  const many = Object.fromEntries(
    Array.from({ length: 10 }, (_, i) => [`x-${i}`, "1"]),
  );
  for (
    const [path, headers, status, code] of [
      [`/${"a".repeat(1000)}`, {}, 414, "target_too_long"],
      ["/echo", many, 431, "head_too_large"],
      ["/echo", { "x-a": "a".repeat(1000) }, 431, "head_too_large"],
      [`/echo?${"a".repeat(994)}`, { "x-a": "a".repeat(900) }, 200, null],
    ] as const
  ) {
    const answer = await gateway.send(DEMO, { path, headers });
    assert.deepEqual(
      [answer.status, answer.code],
      [status, code],
    );
  }
  const { api } = gateway.stack;
  const asked = api.count("isSandboxPublic");
  const stranger = await gateway.send(LOCKED, {
    headers: { "x-daytona-preview-token": "a".repeat(2000) },
  });
  assert.equal(stranger.status, 431);
  assert.equal(api.count("isSandboxPublic"), asked);
});

test("an upload that stands still is answered 408", async (startGateway) => {
  await using gateway = await startGateway({ BODY_IDLE_TIMEOUT_SEC: "1" });
  using client = await gateway.open(
    "PUT /upload HTTP/1.1\r\nHost: 3000-demo.proxy.localhost\r\n" +
      "Content-Length: 10\r\n\r\nhello",
  );
  const { status, fields } = await readResponse(client);
  assert.equal(status, 408);
  assert.deepEqual(valuesOf(fields, "x-porthole-error"), ["upload_stalled"]);
});

test("S10: an upload in chunks of one byte, faster than they can be taken apart, is refused", async (startGateway) => {
  await using gateway = await startGateway();
  const head = "PUT /upload HTTP/1.1\r\nHost: 3000-demo.proxy.localhost\r\n";
  for (const before of ["", `${head}Content-Length: 5\r\n\r\nhello`]) {
    using client = await gateway.open(before);
    if (before !== "") {
      assert.equal((await readResponse(client)).status, 200);
    }
    await client.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
    await client.write("1\r\na\r\n".repeat(5000));
    const { status, fields } = await readResponse(client);
    assert.equal(status, 400);
    const code = valuesOf(fields, "x-porthole-error");
    assert.deepEqual(code, ["chunks_too_small"]);
    assert.deepEqual(valuesOf(fields, "connection"), ["close"]);
  }
});

test("a long upload in chunks from the length of a word, as fast as it is taken, is complete", async (startGateway) => {
  await using gateway = await startGateway();
  for (const size of [20, 80, 1000, 16_384, 100_000]) {
    const chunk = `${size.toString(16)}\r\n${"a".repeat(size)}\r\n`;
    const count = Math.min(5000, Math.ceil(4_000_000 / size));
    using client = await gateway.open(
      "PUT /upload HTTP/1.1\r\nHost: 3000-demo.proxy.localhost\r\n" +
        `Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(count)}0\r\n\r\n`,
    );
    const { status, body } = await readResponse(client);
    assert.equal(status, 200);
    assert.match(body, new RegExp(`\\b${size * count}\\b`));
  }
});

Deno.test("a user whom the API throttles is told how long to wait, whichever throttler it was", async () => {
  await using gateway = await startGateway();
  const { state } = gateway.stack.api;
  const throttled = async (key: string) => {
    const { status, code, headers } = await gateway.send(LOCKED, {
      headers: { authorization: `Bearer ${key}` },
    });
    return [status, code, Number(headers.get("retry-after"))];
  };
  state.limits = { authenticated: { limit: 0, ttlMs: 24_000 } };
  assert.deepEqual(await throttled(KEYS.user), [429, "user_throttled", 24]);
  state.limits = { failedAuth: { limit: 1, ttlMs: 30_000 } };
  await throttled("wrong");
  assert.deepEqual(await throttled(KEYS.user), [429, "user_throttled", 30]);
});

Deno.test("the gateway's own key being throttled is told from that, and does not stop what is known", async () => {
  await using gateway = await startGateway();
  const { api } = gateway.stack;
  assert.equal((await gateway.send(DEMO)).status, 200);
  api.fault = ({ operation }, answer) =>
    operation === "isSandboxPublic"
      ? new Response("{}", { status: 429, headers: { "retry-after": "7" } })
      : answer();
  const { status, code, headers } = await gateway.send(LOCKED);
  assert.deepEqual([status, code, headers.get("retry-after")], [
    503,
    "api_throttled",
    "7",
  ]);
  assert.equal((await gateway.send(DEMO)).status, 200);
});

test("guesses are charged while the API throttles, too", async (startGateway) => {
  await using gateway = await startGateway({ REFUSALS_PER_MINUTE: "10" });
  const { api } = gateway.stack;
  api.fault = (call, answer) =>
    call.operation === "hasSandboxAccess"
      ? new Response("{}", { status: 429 })
      : answer();
  for (let batch = 0; batch < 10; batch++) {
    await Promise.all(
      Array.from(
        { length: 10 },
        () =>
          gateway.send(LOCKED, {
            headers: { authorization: `Bearer ${crypto.randomUUID()}` },
          }),
      ),
    );
  }
  assert(api.count("hasSandboxAccess") < 20);
});

test("the gateway's own pages take heads no larger than previews do", async (startGateway) => {
  await using gateway = await startGateway({ MAX_HEADER_BYTES: "2000" });
  const { status, headers } = await gateway.send(BASE, {
    path: "/logout",
    headers: { "x-long": "x".repeat(2500) },
  });
  assert.equal(status, 431);
  assert.equal(headers.get("x-porthole-error"), "head_too_large");
});

test("a browser with more of our cookies than a head may hold can still log out", async (startGateway) => {
  await using gateway = await startGateway({ MAX_HEADER_BYTES: "2000" });
  const { status } = await gateway.send(BASE, {
    path: "/logout",
    headers: { cookie: "porthole-login-a=b; ".repeat(500) },
  });
  assert.equal(status, 200);
});

test("one logout ends no more sessions than a browser can hold, however many it presents", async (startGateway) => {
  await using gateway = await startGateway();
  const cookie = Array.from(
    { length: 1000 },
    (_, i) => `porthole-login-${i}=x`,
  ).join("; ");
  using client = await gateway.open(
    `POST /logout HTTP/1.1\r\nHost: proxy.localhost\r\nCookie: ${cookie}\r\n` +
      `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 0\r\n\r\n`,
  );
  const { status, fields } = await readResponse(client);
  assert.equal(status, 200);
  const ended = valuesOf(fields, "set-cookie")
    .filter((value) => value.startsWith("porthole-login-"));
  assert.equal(ended.length, 200);
});

test("a form that cannot be read is the client's fault, not ours", async (startGateway) => {
  await using gateway = await startGateway();
  const { status, headers } = await gateway.send(BASE, {
    path: "/logout",
    method: "POST",
    headers: { "content-type": "multipart/form-data", "content-length": "3" },
    body: "abc",
  });
  assert.equal(status, 400);
  assert.equal(headers.get("x-porthole-error"), "bad_request");
});

test("a download whose client takes nothing any more is broken off, on both sides", async (startGateway) => {
  using clock = fakeClock();
  await using gateway = await startGateway({ BODY_IDLE_TIMEOUT_SEC: "1" });
  let isBroken = false;
  let parts = 0;
  const part = new Uint8Array(64 * 1024);
  const host = await gateway.serve((_, response) => {
    function fill() {
      do parts++; while (response.write(part));
    }
    response.on("drain", fill).once("close", () => isBroken = true);
    fill();
  });
  using client = await gateway.open(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  while (!isBroken) {
    const before = parts;
    for (let turn = 0; turn < 100; turn++) await turnOfEventLoop();
    if (parts > 0 && parts === before) clock.pass(5_000);
  }
  const received = await client.readToEnd();
  assert(received.length < parts * part.length);
  assert(!received.endsWith("\r\n0\r\n\r\n"));
});

test("S11: one address may have fifty forms for the gateway's own pages under way, and probes are answered nevertheless", async (startGateway) => {
  await using gateway = await startGateway({ TRUSTED_PROXIES: "127.0.0.1" });
  function logout(address: string): Promise<RawStream> {
    return gateway.open(
      `POST /logout HTTP/1.1\r\nHost: ${BASE}\r\nContent-Length: 9\r\n` +
        `Content-Type: application/x-www-form-urlencoded\r\n` +
        `Expect: 100-continue\r\n` + // which is answered once the form is read
        `X-Forwarded-For: ${address}\r\n\r\n`,
    );
  }
  using waiting = new DisposableStack();
  for (let host = 1; host <= 50; host++) {
    const client = waiting.use(await logout(`2001:db8:1:2::${host}`));
    await client.readUntil("100 Continue\r\n\r\n");
  }
  using refused = await logout("2001:db8:1:2:ffff::1");
  await refused.readUntil("x-porthole-error: client_overloaded");
  const probe = await gateway.send(BASE, {
    path: "/health",
    headers: { "x-forwarded-for": "2001:db8:1:2::1" },
  });
  assert.equal(probe.status, 200);

  using neighbour = await logout("2001:db8:1:3::1");
  await neighbour.readUntil("100 Continue\r\n\r\n");
  await neighbour.write("sandbox=a");
  assert.match(await neighbour.readUntil("\r\n\r\n"), /^HTTP\/1\.1 200 /);
});

/** A gateway of which a client may have one exchange, which lasts until `endFirst()`. */
async function oneUnderWay(start: typeof startGateway, options = {}) {
  await using started = new AsyncDisposableStack();
  const one = { MAX_EXCHANGES_PER_CLIENT: "1" };
  const gateway = started.use(await start(one, options));
  let endFirst = () => {};
  const paths: (string | undefined)[] = [];
  const host = await gateway.serve(({ url }, response) => {
    paths.push(url);
    response.writeHead(200).flushHeaders();
    if (url === "/first") endFirst = () => response.end("first");
    else response.end(url);
  });
  const first = started.use(
    await gateway.open(headOf({ host, path: "/first" })),
  );
  assert.match(await first.readUntil("\r\n\r\n"), /^HTTP\/1.1 200 /);
  const owned = started.move();
  return {
    gateway,
    host,
    paths,
    endFirst: () => endFirst(),
    /** Resolves once what was sent before has come. */
    settled: () => gateway.send(BASE, { path: "/health" }),
    queued(): number {
      const pattern =
        /^porthole_limit_used\{limit="queued_by_client"\} (\d+)$/m;
      return Number(pattern.exec(gateway.service.renderMetrics())?.[1]);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test("a request beyond its client's limit waits for one of its client's to end", async (startGateway) => {
  await using one = await oneUnderWay(startGateway);
  const { gateway, host } = one;
  const asked = ["GET", "POST"].map((method) =>
    gateway.send(host, { method, path: `/${method}` })
  );
  await assertEventually(() => one.queued() === 2, "both wait");
  assert.deepEqual(one.paths, ["/first"]);
  one.endFirst();
  const answers = await Promise.all(asked);
  assert.deepEqual(answers.map(({ body }) => body), ["/GET", "/POST"]);
  assert.equal(one.queued(), 0);
});

test("a request beyond its client's limit does not wait with a long body, or one of unknown length", async (startGateway) => {
  await using one = await oneUnderWay(startGateway);
  const { gateway, host } = one;
  for (
    const framing of [
      "Content-Length: 20000",
      "Transfer-Encoding: chunked",
    ]
  ) {
    using stream = await gateway.open(
      `POST / HTTP/1.1\r\nHost: ${host}\r\n${framing}\r\n\r\n`,
    );
    const head = await stream.readUntil("\r\n\r\n");
    assert.match(head, /^HTTP\/1.1 429 /);
    assert.match(head, /x-porthole-error: client_overloaded\r\n/);
  }
});

test("a head that is too large is refused at once, beyond its client's limit, too", async (startGateway) => {
  await using one = await oneUnderWay(startGateway);
  const headers = { "X-Long": "x".repeat(40_000) };
  const { status } = await one.gateway.send(one.host, { headers });
  assert.equal(status, 431);
});

test("a client that leaves while it waits for a place never reaches the app, and leaves no trace", async (startGateway) => {
  await using one = await oneUnderWay(startGateway);
  const { gateway, host } = one;
  const gone = await gateway.open(headOf({ host, path: "/gone" }));
  await assertEventually(() => one.queued() === 1, "it waits");
  gone.close();
  await assertEventually(() => one.queued() === 0, "it has left");
  one.endFirst();
  await assertEventually(
    async () => (await gateway.send(host)).status === 200,
    "the place is free",
  );
  assert(!one.paths.includes("/gone"));
});

test("who waits for a place when the gateway aborts what is left is told that it drains, and reaches no app", async (startGateway) => {
  await using one = await oneUnderWay(startGateway);
  const { gateway, host } = one;
  const waiting = gateway.send(host, { path: "/second" });
  await assertEventually(() => one.queued() === 1, "it waits");
  gateway.service.startDraining();
  assert.equal(await gateway.service.drain(0, 0), false);
  assert.equal((await waiting).code, "draining");
  assert.deepEqual(one.paths, ["/first"]);
});
