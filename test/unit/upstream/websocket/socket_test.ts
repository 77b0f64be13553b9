import assert from "node:assert/strict";
import { type EventEmitter, once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";

import { parseOrigin } from "../../../../src/http/origin.ts";
import { UpstreamClient } from "../../../../src/upstream/http1/client.ts";
import { openWebSocket } from "../../../../src/upstream/websocket/handshake.ts";
import { UpstreamWebSocket } from "../../../../src/upstream/websocket/socket.ts";
import { fakeClock } from "../../../support/fake_clock.ts";
import { turn, UPSTREAM_CONFIG } from "../../../support/upstream.ts";
import {
  clientFrames,
  concat,
  fakeConnection,
  repeat,
  serverClose,
  serverFrame,
  utf8,
} from "../../../support/wire_frames.ts";

function sentClose(code: number): { opcode: number; code: number } {
  return { opcode: 8, code };
}

/** The opcodes sent; for a Close frame also its code (1005 if it has none). */
function sent(
  bytes: Uint8Array,
): Array<number | { opcode: number; code: number }> {
  return clientFrames(bytes).map(({ opcode, payload }) =>
    opcode === 8
      ? sentClose(
        payload.length === 0
          ? 1005
          : (payload[0] ?? 0) << 8 | (payload[1] ?? 0),
      )
      : opcode
  );
}

Deno.test("UpstreamWebSocket.receive() returns messages in order and counts them", async () => {
  const connection = fakeConnection();
  const socket = new UpstreamWebSocket(connection);
  connection.feed(concat(serverFrame(1, "né"), serverFrame(2, "bin")));
  assert.deepEqual(await socket.receive(), {
    kind: "text",
    data: "né",
    bytes: 3,
  });
  assert.deepEqual(await socket.receive(), {
    kind: "binary",
    data: utf8("bin"),
    isOwn: false,
    bytes: 3,
  });
  assert.equal(socket.traffic.messagesReceived, 2);
  assert.equal(socket.traffic.bytesReceived, 6);
  socket.abort();
});

Deno.test("UpstreamWebSocket reads from the connection only while a receive() is pending", async () => {
  const connection = fakeConnection();
  const socket = new UpstreamWebSocket(connection);
  connection.feed(serverFrame(1, "first"));
  connection.feed(serverFrame(1, "second"));
  await turn();
  assert.equal(connection.reads, 0);
  await socket.receive();
  await turn();
  assert.equal(connection.reads, 1);
  socket.abort();
});

Deno.test("UpstreamWebSocket.send() sends text and binary, empty ones too, and counts them", async () => {
  const connection = fakeConnection();
  const socket = new UpstreamWebSocket(connection);
  socket.send("é");
  socket.send(utf8("bin"));
  socket.send("");
  socket.send(new Uint8Array(0));
  await turn();
  assert.deepEqual(
    clientFrames(connection.written).map((f) => [f.opcode, f.payload]),
    [[1, utf8("é")], [2, utf8("bin")], [1, utf8("")], [2, utf8("")]],
  );
  assert.equal(socket.traffic.messagesSent, 4);
  assert.equal(socket.traffic.bytesSent, 5);
  assert.equal(socket.unsentBytes, 0);
  socket.abort();
});

Deno.test("UpstreamWebSocket answers pings while it receives, and returns neither pings nor pongs", async () => {
  const connection = fakeConnection();
  const socket = new UpstreamWebSocket(connection);
  connection.feed(concat(
    serverFrame(9, "are you there"),
    serverFrame(10, "unasked"),
    serverFrame(1, "data"),
  ));
  const received = await socket.receive();
  assert.equal(received.kind, "text");
  await turn();
  assert.deepEqual(clientFrames(connection.written), [
    { opcode: 10, final: true, payload: utf8("are you there") },
  ]);
  socket.abort();
});

Deno.test("UpstreamWebSocket answers only the latest of many pings, so that a flood of them needs little memory", async () => {
  const connection = fakeConnection();
  const socket = new UpstreamWebSocket(connection);
  connection.pause();
  for (let i = 0; i < 1000; i++) {
    connection.feed(serverFrame(9, `ping ${i}`));
  }
  connection.feed(serverFrame(1, "done"));
  await socket.receive();
  assert.ok(socket.unsentBytes < 30, `${socket.unsentBytes} bytes wait`);
  connection.resume();
  await turn();
  assert.deepEqual(
    clientFrames(connection.written).map((frame) => frame.payload),
    [utf8("ping 0"), utf8("ping 999")],
  );
  socket.abort();
});

Deno.test("UpstreamWebSocket echoes the peer's close code, if any, and closes the connection", async () => {
  for (
    const [frame, code, reason] of [
      [serverClose(1000), 1000, ""],
      [serverClose(1011, "oops"), 1011, "oops"],
      [serverClose(4999, "Grüße"), 4999, "Grüße"],
      [serverFrame(8), 1005, ""],
    ] as const
  ) {
    const connection = fakeConnection();
    const socket = new UpstreamWebSocket(connection);
    connection.feed(concat(frame, serverFrame(1, "late")));
    const end = await socket.receive();
    assert.deepEqual(end, { kind: "close", code, reason });
    await turn();
    assert.deepEqual(sent(connection.written), [sentClose(code)]);
    assert.equal(connection.isClosed, true);
    assert.equal(await socket.receive(), end);
  }
});

Deno.test("UpstreamWebSocket.close() lets receive() continue until the peer's Close, then closes the connection", async () => {
  const connection = fakeConnection();
  const socket = new UpstreamWebSocket(connection);
  socket.close(3000, "bye");
  socket.close(1000, "a second close does nothing");
  await turn();
  const [frame] = clientFrames(connection.written);
  assert.deepEqual(frame?.payload, concat(Uint8Array.of(11, 184), utf8("bye")));
  assert.equal(connection.isClosed, false);
  connection.feed(concat(serverFrame(1, "in flight"), serverClose(3000)));
  assert.equal((await socket.receive()).kind, "text");
  assert.deepEqual(await socket.receive(), {
    kind: "close",
    code: 3000,
    reason: "",
  });
  await turn();
  assert.deepEqual(sent(connection.written), [sentClose(3000)]);
  assert.equal(connection.isClosed, true);
});

Deno.test("UpstreamWebSocket.close() closes the connection of a peer that does not answer", async () => {
  using clock = fakeClock();
  const connection = fakeConnection();
  const socket = new UpstreamWebSocket(connection);
  socket.close(1000);
  clock.pass(4999);
  assert.equal(connection.isClosed, false);
  clock.pass(1);
  const end = await socket.receive();
  assert.equal(end.kind === "close" && end.code, 1006);
  assert.equal(connection.isClosed, true);
});

Deno.test("UpstreamWebSocket.close() closes the connection of a peer that does not read", () => {
  using clock = fakeClock();
  const connection = fakeConnection();
  const socket = new UpstreamWebSocket(connection);
  connection.pause();
  socket.send("stuck");
  socket.close(1000);
  clock.pass(4999);
  assert.equal(connection.isClosed, false);
  clock.pass(1);
  assert.equal(connection.isClosed, true);
});

Deno.test("UpstreamWebSocket sends nothing after its Close", async () => {
  const connection = fakeConnection();
  const socket = new UpstreamWebSocket(connection);
  socket.close(1000);
  socket.send("late");
  assert.equal(socket.traffic.messagesSent, 0);
  socket.heartbeat();
  connection.feed(concat(serverFrame(9, "ping"), serverClose(1000)));
  await socket.receive();
  await turn();
  assert.deepEqual(sent(connection.written), [sentClose(1000)]);
});

Deno.test("UpstreamWebSocket.receive() ends with 1006 if the stream ends without a Close", async () => {
  const connection = fakeConnection();
  const socket = new UpstreamWebSocket(connection);
  connection.feed(serverFrame(1, "cut", { final: false }));
  connection.feed(null);
  const end = await socket.receive();
  assert.deepEqual(end, {
    kind: "close",
    code: 1006,
    reason: "connection ended without a Close frame",
  });
  assert.equal(connection.isClosed, true);
  assert.equal(connection.written.length, 0);
});

Deno.test("S3: the memory of an incomplete message is returned once its WebSocket has ended, however it did", async () => {
  for (
    const ending of [
      null,
      serverClose(1001),
      serverFrame(1, "a message within another"),
    ]
  ) {
    const connection = fakeConnection();
    const socket = new UpstreamWebSocket(connection);
    let charged = 0;
    socket.limitMemory({
      maxMessageBytes: 1_000_000,
      charge: (bytes) => (charged += bytes) <= 1_000_000,
    });
    const part = new Uint8Array(100_000);
    connection.feed(serverFrame(2, part, { final: false }));
    const receiving = socket.receive();
    await turn();
    assert(charged >= part.length);
    connection.feed(ending);
    assert.equal((await receiving).kind, "close");
    await turn(); // our Close is written
    assert.equal(charged, 0);
    assert.equal(socket.unfinishedBytes, 0);
  }
});

Deno.test("UpstreamWebSocket.abort() ends a pending receive() with 1006", async () => {
  const connection = fakeConnection();
  const socket = new UpstreamWebSocket(connection);
  const pending = socket.receive();
  await turn();
  socket.abort();
  const end = await pending;
  assert.equal(end.kind === "close" && end.code, 1006);
  assert.equal(await socket.receive(), end);
  assert.equal(connection.isClosed, true);
});

Deno.test("UpstreamWebSocket answers a protocol violation with its close code, and says why it ended", async () => {
  for (
    const [bytes, code, reason] of [
      [
        Uint8Array.of(0x81, 0x80, 0, 0, 0, 0),
        1002,
        "Masked frame from the server",
      ],
      [serverFrame(1, Uint8Array.of(0xff)), 1007, "Text is not valid UTF-8"],
      // 64 MiB and one byte, none of which has arrived.
      [
        Uint8Array.of(0x82, 127, 0, 0, 0, 0, 4, 0, 0, 1),
        1009,
        "Message is too big",
      ],
      [serverClose(1006), 1002, "Invalid close code 1006"],
    ] as const
  ) {
    const connection = fakeConnection();
    const socket = new UpstreamWebSocket(connection);
    connection.feed(bytes);
    const end = await socket.receive();
    const seen = code === 1009 ? { code, isOurs: true } : { code: 1006 };
    assert.deepEqual(end, { kind: "close", reason, ...seen });
    await turn();
    assert.deepEqual(sent(connection.written), [sentClose(code)]);
    assert.equal(connection.isClosed, true);
  }
});

Deno.test("UpstreamWebSocket.heartbeat() sends an empty Pong unless bytes are queued", async () => {
  const connection = fakeConnection();
  const socket = new UpstreamWebSocket(connection);
  socket.heartbeat();
  await turn();
  assert.deepEqual(clientFrames(connection.written), [
    { opcode: 10, final: true, payload: utf8("") },
  ]);
  connection.pause();
  socket.send("waits");
  const { unsentBytes } = socket;
  socket.heartbeat();
  assert.equal(socket.unsentBytes, unsentBytes);
  socket.abort();
  await turn();
});

/** The part of ws's socket that is used here; the package ships no types. */
interface PeerSocket extends EventEmitter {
  send(
    data: string | Uint8Array,
    options: { binary?: boolean; fin?: boolean },
  ): void;
  ping(data: string): void;
  close(code: number, reason: string): void;
  terminate(): void;
}

interface Peer {
  readonly socket: UpstreamWebSocket;
  readonly peer: PeerSocket;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A WebSocket through the real client to an independently written server. */
async function connectToWs(): Promise<Peer> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = new UpstreamClient(UPSTREAM_CONFIG);
  const accepted = once(server, "connection");
  const opened = await openWebSocket(client, {
    origin: parseOrigin(`http://127.0.0.1:${port}`),
    target: "/",
    headers: [["Host", `127.0.0.1:${port}`]],
  });
  assert.ok(opened.kind === "open");
  const [peer] = await accepted as [PeerSocket];
  return {
    socket: opened.socket,
    peer,
    async [Symbol.asyncDispose]() {
      client.close();
      peer.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

Deno.test("UpstreamWebSocket exchanges messages of all kinds with a ws server", async () => {
  await using pair = await connectToWs();
  const { socket, peer } = pair;
  peer.on(
    "message",
    (data: Uint8Array, isBinary: boolean) =>
      peer.send(data, { binary: isBinary }),
  );
  const large = Uint8Array.from({ length: 1 << 20 }, (_, i) => i % 253);
  for (const message of ["Grüße", "", utf8("bin"), large, "x".repeat(70_000)]) {
    socket.send(message);
    const received = await socket.receive();
    assert.ok(received.kind !== "close");
    assert.deepEqual(received.data, message);
  }
  peer.send("frag", { fin: false });
  peer.ping("hello?");
  const ponged = once(peer, "pong");
  peer.send("mented", { fin: true });
  const received = await socket.receive();
  assert.equal(received.kind === "text" && received.data, "fragmented");
  assert.equal(String((await ponged)[0]), "hello?");
});

Deno.test("UpstreamWebSocket completes the closing handshake with a ws server, either side first", async () => {
  {
    await using pair = await connectToWs();
    const closed = once(pair.peer, "close");
    pair.socket.close(4001, "from us");
    assert.equal((await pair.socket.receive()).kind, "close");
    const [code, reason] = await closed;
    assert.deepEqual([code, String(reason)], [4001, "from us"]);
  }
  {
    await using pair = await connectToWs();
    const closed = once(pair.peer, "close");
    pair.peer.close(1012, "from them");
    assert.deepEqual(await pair.socket.receive(), {
      kind: "close",
      code: 1012,
      reason: "from them",
    });
    assert.equal((await closed)[0], 1012);
  }
});

Deno.test("UpstreamWebSocket.receive() ends with 1006 if a ws server breaks the connection", async () => {
  await using pair = await connectToWs();
  pair.peer.terminate();
  const end = await pair.socket.receive();
  assert.equal(end.kind === "close" && end.code, 1006);
});

const MANY = 4096;

/** Frames that carry nothing of a message, and what they are sent after. */
const EMPTY_FRAMES = {
  "pings": [serverFrame(9), ""],
  "pings with a payload": [serverFrame(9, "x"), ""],
  "pongs": [serverFrame(10), ""],
  "empty fragments": [serverFrame(0, "", { final: false }), "a"],
} as const;

for (const [name, [frame, before]] of Object.entries(EMPTY_FRAMES)) {
  Deno.test(`S1: more than 4,096 ${name} within a second fail a WebSocket with 1008`, async () => {
    let now = 0;
    const connection = fakeConnection();
    const socket = new UpstreamWebSocket(connection, () => now);
    if (before !== "") {
      connection.feed(serverFrame(1, before, { final: false }));
    }
    const many = repeat(frame, MANY);
    connection.feed(many);
    const received = socket.receive();
    await turn();
    now += 1000;
    connection.feed(many);
    await turn();
    assert.equal(connection.isClosed, false);
    connection.feed(frame);
    assert.deepEqual(await received, {
      kind: "close",
      code: 1008,
      isOurs: true,
      reason: "Too many frames without a message",
    });
    await turn();
    assert.deepEqual(sent(connection.written).at(-1), sentClose(1008));
  });
}

Deno.test("S1: complete empty messages do not count as frames without a message", async () => {
  const connection = fakeConnection();
  const socket = new UpstreamWebSocket(connection, () => 0);
  connection.feed(repeat(serverFrame(1), 2 * MANY));
  for (let count = 0; count < 2 * MANY; count++) {
    assert.equal((await socket.receive()).kind, "text");
  }
  socket.abort();
});

Deno.test("S1: the event loop turns amid the frames of one read", async () => {
  const connection = fakeConnection();
  const socket = new UpstreamWebSocket(connection);
  const fragment = serverFrame(0, "x", { final: false });
  connection.feed(serverFrame(1, "", { final: false }));
  connection.feed(repeat(fragment, 300_000));
  let isReceived = false;
  const received = socket.receive().then(() => isReceived = true);
  let turns = 0;
  connection.feed(serverFrame(0));
  while (!isReceived) {
    await turn();
    turns++;
  }
  await received;
  assert(turns > 2, `${turns} turns`);
  socket.abort();
});
