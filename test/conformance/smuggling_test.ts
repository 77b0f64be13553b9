/** One request in, one request out: no part of a message becomes another message (RFC 9112 sections 9.3.2, 11). */
import assert from "node:assert/strict";
import { readResponse } from "../support/raw_client.ts";
import { assertOwn, type Message, messageOf, post } from "./exchange.ts";
import { holdNext } from "./raw_runner.ts";
import { startTarget, test } from "./target.ts";

const CHUNKED = "Transfer-Encoding: chunked";
const NEXT: Message = { line: "GET /next HTTP/1.1" };

/** Octets that must never be taken for a request. */
const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: app\r\n\r\n";
const SMUGGLED_CHUNK = `${
  SMUGGLED.length.toString(16)
}\r\n${SMUGGLED}\r\n0\r\n\r\n`;
const LENGTH = `Content-Length: ${SMUGGLED.length}`;

Deno.test("pipelined requests are forwarded one after the other and answered in order (RFC 9112 section 9.3.2)", async () => {
  await using target = await startTarget();
  const { prefix, runner } = target;
  runner.answer = async ({ target, stream, receive }) => {
    const body = `${target.slice(prefix.length)} ${await receive()}`;
    await stream.write(
      `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
  };
  using client = await target.connect();
  await client.write(
    [
      { line: "GET /1 HTTP/1.1" },
      { line: "POST /2 HTTP/1.1", fields: ["Content-Length: 3"], body: "two" },
      {
        line: "PUT /3 HTTP/1.1",
        fields: [CHUNKED],
        body: "5\r\nthree\r\n0\r\n\r\n",
      },
      { line: "GET /4 HTTP/1.1" },
    ].map((message) => messageOf(target, message)).join(""),
  );

  for (const expected of ["/1 ", "/2 two", "/3 three", "/4 "]) {
    assert.equal((await readResponse(client)).body, expected);
  }
  assert.equal(runner.seen.length, 4);
  if (target.isPorthole) assert.equal(runner.accepted, 1);
});

test.choice("a pipelined request waits at the gateway until the one before it is answered (RFC 9112 section 9.3.2)", async () => {
  await using target = await startTarget();
  const { runner } = target;
  using held = holdNext(runner);
  using client = await target.connect();
  await client.write(messageOf(target, {}) + messageOf(target, NEXT));
  const { stream } = await held.request;

  // By the end of another client's exchange, the second request would have arrived as well.
  using other = await target.connect();
  await other.write(messageOf(target, { line: "GET /other HTTP/1.1" }));
  await readResponse(other);
  const { prefix } = target;
  const before = [`${prefix}/`, `${prefix}/other`];
  assert.deepEqual(runner.seen.map(({ target }) => target), before);

  await stream.write(
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
  );
  await readResponse(client);
  await readResponse(client);
  assert.equal(runner.seen.at(-1)?.target, `${prefix}/next`);
});

const CARRIERS: Record<string, [message: Message, body: string]> = {
  "a body with a length": [post(LENGTH, SMUGGLED), SMUGGLED],
  "a chunk": [post(CHUNKED, SMUGGLED_CHUNK), SMUGGLED],
  "a chunk extension": [
    post(CHUNKED, "0;GET /smuggled HTTP/1.1\r\n\r\n"),
    "",
  ],
  "a trailer": [
    post(CHUNKED, "0\r\nX: GET /smuggled HTTP/1.1\r\nHost: app\r\n\r\n"),
    "",
  ],
  "a body whose length Connection names": [
    post([LENGTH, "Connection: content-length"], SMUGGLED),
    SMUGGLED,
  ],
  "a chunk whose coding Connection names": [
    post([CHUNKED, "Connection: transfer-encoding"], SMUGGLED_CHUNK),
    SMUGGLED,
  ],
  "a body whose length is named a trailer": [
    post([LENGTH, "Trailer: content-length"], SMUGGLED),
    SMUGGLED,
  ],
  "a body with Upgrade but without Connection": [
    post([LENGTH, "Upgrade: h2c"], SMUGGLED),
    SMUGGLED,
  ],
  "a body of GET": [{ fields: [LENGTH], body: SMUGGLED }, ""],
  "a chunk of GET": [{ fields: [CHUNKED], body: SMUGGLED_CHUNK }, ""],
  "a body of HEAD": [
    { line: "HEAD / HTTP/1.1", fields: [LENGTH], body: SMUGGLED },
    "",
  ],
  "a header value": [
    { fields: ["X-A: \tGET /smuggled HTTP/1.1", "X-B: Host: app"] },
    "",
  ],
};

Deno.test("a request inside another one is content, or nothing, but never a request (RFC 9112 section 11.2)", async (t) => {
  await using target = await startTarget();
  const { prefix, runner } = target;
  for (const [name, [message, body]] of Object.entries(CARRIERS)) {
    await t.step(name, async () => {
      const before = runner.seen.length;
      using client = await target.connect();
      const carrier = messageOf(target, message);
      await client.write(carrier + messageOf(target, NEXT));
      const [method] = carrier.split(" ", 1);
      assert.equal((await readResponse(client, method)).status, 200);
      assert.equal((await readResponse(client)).status, 200);
      const seen = runner.seen.slice(before);
      const targets = [`${prefix}/`, `${prefix}/next`];
      assert.deepEqual(seen.map(({ target }) => target), targets);
      // Other gateways may forward the body of a GET.
      if (target.isPorthole) {
        assert.deepEqual(seen.map(({ body }) => body), [body, ""]);
      }
    });
  }
});

Deno.test("a handshake that the app refuses leaves the connection to HTTP (RFC 9110 section 7.8)", async () => {
  await using target = await startTarget();
  using client = await target.connect();
  await client.write(
    messageOf(target, {
      fields: [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      ],
    }) + messageOf(target, NEXT),
  );
  assert.equal((await readResponse(client)).status, 200);
  assert.equal((await readResponse(client)).status, 200);
  const { prefix, runner } = target;
  assert.deepEqual(runner.seen.map(({ target }) => target), [
    `${prefix}/`,
    `${prefix}/next`,
  ]);
});

Deno.test("a request that is refused ends what is pipelined behind it (RFC 9112 section 9.3)", async () => {
  await using target = await startTarget();
  using client = await target.connect();
  await client.write(messageOf(target, {}));
  assert.equal((await readResponse(client)).status, 200);
  await client.write(
    messageOf(target, post([LENGTH, CHUNKED])) + SMUGGLED,
  );
  assertOwn(target, await readResponse(client), 400);
  assert.equal(await client.readToEnd(), "");
  assert.equal(target.runner.seen.length, 1);
});

Deno.test("what is pipelined behind Connection: close is not taken for a request (RFC 9112 section 9.6)", async () => {
  await using target = await startTarget();
  using client = await target.connect();
  await client.write(
    messageOf(target, { fields: ["Connection: close"] }) +
      messageOf(target, NEXT),
  );
  assert.equal((await readResponse(client)).status, 200);
  assert.equal(await client.readToEnd(), "");
  assert.equal(target.runner.seen.length, 1);
});
