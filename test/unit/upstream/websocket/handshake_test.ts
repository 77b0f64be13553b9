import assert from "node:assert/strict";
import type { HeaderList } from "../../../../src/http/headers.ts";
import type {
  UpgradeResult,
  UpstreamRequest,
} from "../../../../src/upstream/http1/message.ts";
import { UpstreamError } from "../../../../src/upstream/upstream_error.ts";
import {
  checkSwitch,
  openingHandshake,
  openWebSocket,
} from "../../../../src/upstream/websocket/handshake.ts";
import { fakeConnection, utf8 } from "../../../support/wire_frames.ts";

/** The example from RFC 6455 section 1.3. */
const KEY = utf8("the sample nonce");
const ENCODED_KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const VALID: HeaderList = [
  ["Upgrade", "websocket"],
  ["Connection", "Upgrade"],
  ["Sec-WebSocket-Accept", ACCEPT],
];

function without(name: string): HeaderList {
  return VALID.filter(([header]) => header !== name);
}

const HANDSHAKE = { accept: ACCEPT, offered: ["chat.v2", "chat.v1"] };

Deno.test("openingHandshake() adds its own headers and computes the accept value of RFC 6455 section 1.3", async () => {
  const handshake = await openingHandshake([
    ["Host", "app.test"],
    ["Origin", "https://a.test"],
    ["Sec-WebSocket-Protocol", "chat.v2,chat.v1"],
    ["Sec-WebSocket-Protocol", " X-Daytona-SDK-Version~1 "],
  ], KEY);
  assert.deepEqual(handshake, {
    headers: [
      ["Host", "app.test"],
      ["Origin", "https://a.test"],
      ["Sec-WebSocket-Protocol", "chat.v2,chat.v1"],
      ["Sec-WebSocket-Protocol", " X-Daytona-SDK-Version~1 "],
      ["Upgrade", "websocket"],
      ["Sec-WebSocket-Version", "13"],
      ["Sec-WebSocket-Key", ENCODED_KEY],
    ],
    accept: ACCEPT,
    offered: ["chat.v2", "chat.v1", "X-Daytona-SDK-Version~1"],
  });
});

Deno.test("openingHandshake() drops the headers of another handshake, extensions included", async () => {
  const { headers } = await openingHandshake([
    ["upgrade", "h2c"],
    ["sec-websocket-key", "x"],
    ["SEC-WEBSOCKET-EXTENSIONS", "permessage-deflate"],
    ["sec-websocket-version", "8"],
    ["Sec-WebSocket-Accept", "x"],
    ["cookie", "a=b"],
  ], KEY);
  assert.deepEqual(headers, [
    ["cookie", "a=b"],
    ["Upgrade", "websocket"],
    ["Sec-WebSocket-Version", "13"],
    ["Sec-WebSocket-Key", ENCODED_KEY],
  ]);
});

Deno.test("openingHandshake() makes a new key of 16 bytes each time", async () => {
  const keys = new Set<string>();
  for (let i = 0; i < 10; i++) {
    const { headers } = await openingHandshake([]);
    const key = headers.find(([name]) => name === "Sec-WebSocket-Key")?.[1];
    assert.equal(Uint8Array.fromBase64(key ?? "").length, 16);
    keys.add(key ?? "");
  }
  assert.equal(keys.size, 10);
});

Deno.test("checkSwitch() ignores the case of names and tokens", () => {
  const expected = { ok: true, protocol: undefined };
  assert.deepEqual(checkSwitch(VALID, HANDSHAKE), expected);
  assert.deepEqual(
    checkSwitch([
      ["upgrade", "WebSocket"],
      ["CONNECTION", "keep-alive"],
      ["connection", "x, UPGRADE"],
      ["sec-websocket-accept", ` ${ACCEPT} `],
      ["x-app", "hello"],
    ], HANDSHAKE),
    expected,
  );
});

Deno.test("checkSwitch() accepts a subprotocol that was offered", () => {
  const headers: HeaderList = [...VALID, ["Sec-WebSocket-Protocol", "chat.v1"]];
  assert.deepEqual(checkSwitch(headers, HANDSHAKE), {
    ok: true,
    protocol: "chat.v1",
  });
});

Deno.test("checkSwitch() rejects every 101 that RFC 6455 section 4.1 has a client fail", () => {
  const wrong: Record<string, HeaderList> = {
    "no Upgrade": without("Upgrade"),
    "another protocol": [...without("Upgrade"), ["Upgrade", "h2c"]],
    "two protocols": [...VALID, ["Upgrade", "h2c"]],
    "no Connection": without("Connection"),
    "Connection without upgrade": [
      ...without("Connection"),
      ["Connection", "keep-alive, upgraded"],
    ],
    "no accept": without("Sec-WebSocket-Accept"),
    "wrong accept": [
      ...without("Sec-WebSocket-Accept"),
      ["Sec-WebSocket-Accept", ACCEPT.toLowerCase()],
    ],
    "two accepts": [...VALID, ["Sec-WebSocket-Accept", ACCEPT]],
    "an extension": [
      ...VALID,
      ["Sec-WebSocket-Extensions", "permessage-deflate"],
    ],
    "unknown subprotocol": [...VALID, ["Sec-WebSocket-Protocol", "CHAT.v1"]],
    "list of subprotocols": [
      ...VALID,
      ["Sec-WebSocket-Protocol", "chat.v1, chat.v2"],
    ],
    "empty subprotocol": [...VALID, ["Sec-WebSocket-Protocol", ""]],
    "two subprotocols": [
      ...VALID,
      ["Sec-WebSocket-Protocol", "chat.v1"],
      ["Sec-WebSocket-Protocol", "chat.v1"],
    ],
  };
  for (const [name, headers] of Object.entries(wrong)) {
    assert.equal(checkSwitch(headers, HANDSHAKE).ok, false, name);
  }
});

const REQUEST = {
  origin: { tls: false, hostname: "app.test", port: 80, key: "k" },
  target: "/a/%2e%2e/b?c",
  headers: [["Host", "app.test"], ["Sec-WebSocket-Protocol", "chat.v1"]],
} as const;

/** The headers of a 101 that answers `request`, with the accept value that the code under test computes. */
async function answer(request: UpstreamRequest): Promise<HeaderList> {
  const key = request.headers.find(([n]) => n === "Sec-WebSocket-Key")?.[1];
  const { accept } = await openingHandshake(
    [],
    Uint8Array.fromBase64(key ?? ""),
  );
  return [
    ["Upgrade", "websocket"],
    ["Connection", "Upgrade"],
    ["Sec-WebSocket-Accept", accept],
    ["X-App", "1"],
  ];
}

Deno.test("openWebSocket() sends a GET with the raw target and returns the socket with its subprotocol", async () => {
  const connection = fakeConnection();
  const seen: UpstreamRequest[] = [];
  const opened = await openWebSocket({
    async upgrade(request): Promise<UpgradeResult> {
      seen.push(request);
      const headers: HeaderList = [
        ...await answer(request),
        ["Sec-WebSocket-Protocol", "chat.v1"],
      ];
      return { kind: "switched", headers, connection };
    },
  }, REQUEST);
  const [request] = seen;
  assert.equal(request?.method, "GET");
  assert.equal(request?.target, REQUEST.target);
  assert.equal(request?.body, null);
  assert.equal(request?.contentLength, null);
  assert.ok(opened.kind === "open");
  assert.equal(opened.protocol, "chat.v1");
  opened.socket.abort();
  assert.equal(connection.isClosed, true);
});

Deno.test("openWebSocket() returns a refusal as the response that it is", async () => {
  const response = { status: 401, headers: [], body: null };
  const opened = await openWebSocket({
    upgrade: () => Promise.resolve({ kind: "response", response } as const),
  }, REQUEST);
  assert.deepEqual(opened, { kind: "refused", response });
});

Deno.test("openWebSocket() closes the connection of an invalid 101 and throws protocol_error", async () => {
  const connection = fakeConnection();
  const opening = openWebSocket({
    upgrade: () =>
      Promise.resolve(
        { kind: "switched", headers: VALID, connection } as const,
      ),
  }, REQUEST);
  await assert.rejects(
    opening,
    (error) =>
      error instanceof UpstreamError && error.code === "protocol_error",
  );
  assert.equal(connection.isClosed, true);
});
