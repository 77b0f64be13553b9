import assert from "node:assert/strict";

import { freeBuffer } from "../../../../src/platform/free_buffer.ts";
import {
  type ControlFrame,
  FrameDecoder,
  type Message,
} from "../../../../src/upstream/websocket/frame_decoder.ts";
import { ProtocolViolation } from "../../../../src/upstream/websocket/frames.ts";
import {
  concat,
  serverClose,
  serverFrame,
  utf8,
} from "../../../support/wire_frames.ts";

const MAX = { maxMessageBytes: 1 << 20 };

/** Everything that the chunks decode to; binary data is copied, since the next push may overwrite it. */
function decode(
  chunks: Uint8Array<ArrayBuffer>[],
  options = MAX,
): Array<Message | ControlFrame> {
  const decoder = new FrameDecoder(options);
  const events: Array<Message | ControlFrame> = [];
  const memory = new Uint8Array(Math.max(...chunks.map((c) => c.length)));
  for (const chunk of chunks) {
    memory.fill(0xee);
    memory.set(chunk);
    decoder.push(memory.subarray(0, chunk.length));
    for (
      let event = decoder.next();
      event !== undefined;
      event = decoder.next()
    ) {
      if (event.kind === "fragment") continue;
      events.push(
        event.kind === "binary"
          ? binary(event.data.slice())
          : event.kind === "ping"
          ? { ...event, payload: event.payload.slice() }
          : event,
      );
    }
  }
  return events;
}

function text(data: string): Message {
  return { kind: "text", data, bytes: utf8(data).length };
}

/** A message, whose memory may be its own or not. */
function binary(data: Uint8Array<ArrayBuffer>): Message {
  return { kind: "binary", data, isOwn: false, bytes: data.length };
}

function refused(
  bytes: Uint8Array<ArrayBuffer> | number[],
  closeCode: number,
  options = MAX,
): void {
  const stream = Uint8Array.from(bytes);
  const isViolation = (error: unknown) =>
    error instanceof ProtocolViolation && error.closeCode === closeCode;
  assert.throws(() => decode([stream], options), isViolation);
  const single = [...stream].map((byte) => Uint8Array.of(byte));
  assert.throws(() => decode(single, options), isViolation);
}

const STREAM = concat(
  serverFrame(1, "Grüße"),
  serverFrame(2, Uint8Array.of(0, 1, 2, 255)),
  serverFrame(1, ""),
  serverFrame(2, new Uint8Array(0)),
  serverFrame(1, "x".repeat(200)),
  // A fragmented text, split within a character, with control frames in between.
  serverFrame(1, utf8("aé").subarray(0, 2), { final: false }),
  serverFrame(9, "ping!"),
  serverFrame(0, utf8("aé").subarray(2), { final: false }),
  serverFrame(10, "pong!"),
  serverFrame(0, "", { final: false }),
  serverFrame(0, "b"),
  serverFrame(2, "", { final: false }),
  serverFrame(0, ""),
  serverFrame(1, "\ufeffBOM"),
  serverClose(4001, "tschüß"),
);

const EVENTS = [
  text("Grüße"),
  binary(Uint8Array.of(0, 1, 2, 255)),
  text(""),
  binary(new Uint8Array(0)),
  text("x".repeat(200)),
  { kind: "ping", payload: utf8("ping!") },
  { kind: "pong" },
  text("aéb"),
  binary(new Uint8Array(0)),
  text("\ufeffBOM"),
  { kind: "close", code: 4001, reason: "tschüß" },
];

Deno.test("FrameDecoder yields the same events however the stream is split", () => {
  assert.deepEqual(decode([STREAM]), EVENTS);
  for (let cut = 1; cut < STREAM.length; cut++) {
    const chunks = [STREAM.slice(0, cut), STREAM.slice(cut)];
    assert.deepEqual(decode(chunks), EVENTS, `cut at ${cut}`);
  }
  for (let size = 1; size <= 40; size++) {
    const chunks = [];
    for (let at = 0; at < STREAM.length; at += size) {
      chunks.push(STREAM.slice(at, at + size));
    }
    assert.deepEqual(decode(chunks), EVENTS, `chunks of ${size}`);
  }
});

Deno.test("FrameDecoder decodes every encoding of a length, split anywhere in the header", () => {
  for (const length of [125, 126, 65535, 65536, 200_000]) {
    const data = Uint8Array.from({ length }, (_, i) => i & 255);
    const frame = serverFrame(2, data);
    for (const cut of [1, 2, 3, 4, 9, 10, 11, length]) {
      const events = decode([frame.slice(0, cut), frame.slice(cut)]);
      assert.deepEqual(events, [binary(data)], `${length} cut at ${cut}`);
    }
  }
});

Deno.test("FrameDecoder joins a message of many fragments", () => {
  const data = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);
  const frames = [serverFrame(2, data.subarray(0, 1), { final: false })];
  for (let at = 1; at < data.length; at += 10) {
    frames.push(serverFrame(0, data.subarray(at, at + 10), { final: false }));
  }
  frames.push(serverFrame(0, ""));
  assert.deepEqual(decode(frames), [binary(data)]);
});

Deno.test("FrameDecoder allocates memory for what has arrived, not for what a frame declares", () => {
  const decoder = new FrameDecoder({ maxMessageBytes: 2 ** 40 });
  decoder.push(Uint8Array.of(0x82, 127, 0, 0, 0, 0x80, 0, 0, 0, 0, 1, 2, 3));
  assert.equal(decoder.next(), undefined);
});

Deno.test("FrameDecoder tells whether a message has memory of its own, which it then no longer uses", () => {
  const decoder = new FrameDecoder(MAX);
  const data = new Uint8Array(10_000);
  const frames = [serverFrame(2, data), serverFrame(2, data, { final: false })];
  decoder.push(concat(...frames, serverFrame(0, "end"), serverFrame(2, data)));
  const owned: boolean[] = [];
  for (let event = decoder.next(); event; event = decoder.next()) {
    if (event.kind !== "binary") continue;
    owned.push(event.isOwn);
    if (event.isOwn) freeBuffer(event.data);
  }
  assert.deepEqual(owned, [false, true, false]);
});

Deno.test("S3: FrameDecoder charges for the memory of incomplete messages, and returns it", () => {
  let charged = 0;
  const decoder = new FrameDecoder({
    maxMessageBytes: 1_000_000,
    charge: (bytes) => (charged += bytes) <= 300_000,
  });
  const part = serverFrame(2, new Uint8Array(100_000), { final: false });
  decoder.push(part);
  decoder.next();
  assert.ok(charged >= 100_000);
  assert.deepEqual([decoder.keptBytes, decoder.arrivedBytes], [
    charged,
    100_000,
  ]);
  decoder.push(serverFrame(0, "end"));
  assert.equal(decoder.next()?.kind, "binary");
  assert.equal(charged, 0);
  decoder.push(part);
  decoder.next();
  decoder.push(serverFrame(0, new Uint8Array(300_000), { final: false }));
  assert.throws(() => decoder.next(), { closeCode: 1009 });
});

Deno.test("FrameDecoder rejects masked frames, reserved bits and reserved opcodes", () => {
  refused([0x81, 0x80, 0, 0, 0, 0], 1002);
  for (const bit of [0x40, 0x20, 0x10]) refused([0x81 | bit, 0], 1002);
  for (const opcode of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) {
    refused([0x80 | opcode, 0], 1002);
  }
});

Deno.test("FrameDecoder rejects fragmented and long control frames", () => {
  for (const opcode of [8, 9, 10]) {
    refused([opcode, 0], 1002);
    refused([0x80 | opcode, 126, 0, 126], 1002);
    refused([0x80 | opcode, 127, 0, 0, 0, 0, 0, 1, 0, 0], 1002);
  }
});

Deno.test("FrameDecoder rejects lengths that are not minimal or exceed 63 bits", () => {
  refused([0x82, 126, 0, 125], 1002);
  refused([0x82, 127, 0, 0, 0, 0, 0, 0, 255, 255], 1002);
  refused([0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0], 1002);
});

Deno.test("FrameDecoder rejects fragments out of sequence", () => {
  refused(serverFrame(0, "x"), 1002);
  const begun = serverFrame(1, "a", { final: false });
  refused(concat(begun, serverFrame(1, "b")), 1002);
  refused(concat(begun, serverFrame(2, "b", { final: false })), 1002);
  refused(concat(serverFrame(1, "a"), serverFrame(0, "b")), 1002);
});

Deno.test("FrameDecoder rejects close codes that must not be on the wire", () => {
  for (
    const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535]
  ) {
    refused(serverClose(code), 1002);
  }
  refused(serverFrame(8, "x"), 1002);
});

Deno.test("FrameDecoder rejects text and close reasons that are not UTF-8", () => {
  const surrogate = Uint8Array.of(0xed, 0xa0, 0x80);
  const overlong = Uint8Array.of(0xc0, 0x80);
  for (const bytes of [Uint8Array.of(0xff), surrogate, overlong]) {
    refused(serverFrame(1, bytes), 1007);
    refused(serverFrame(8, concat(Uint8Array.of(3, 232), bytes)), 1007);
  }
  const half = utf8("é").subarray(0, 1);
  refused(
    concat(serverFrame(1, half, { final: false }), serverFrame(0, "")),
    1007,
  );
});

Deno.test("FrameDecoder rejects a message over its limit before it has arrived", () => {
  const options = { maxMessageBytes: 10 };
  assert.deepEqual(decode([serverFrame(1, "0123456789")], options), [
    text("0123456789"),
  ]);
  refused([0x82, 11], 1009, options);
  refused([0x82, 127, 0x7f, 0, 0, 0, 0, 0, 0, 0], 1009, options);
  const begun = serverFrame(2, "012345", { final: false });
  assert.deepEqual(decode([begun, serverFrame(0, "6789")], options), [
    binary(utf8("0123456789")),
  ]);
  refused(concat(begun, Uint8Array.of(0x80, 5)), 1009, options);
});

Deno.test("FrameDecoder.next() tells fragments of a message that goes on, and which are empty", () => {
  const decoder = new FrameDecoder(MAX);
  decoder.push(concat(
    serverFrame(1, "", { final: false }),
    serverFrame(0, "a", { final: false }),
    serverFrame(0, "", { final: false }),
    serverFrame(0, "", { final: true }),
  ));
  assert.deepEqual(Array.from({ length: 5 }, () => decoder.next()), [
    { kind: "fragment", isEmpty: true },
    { kind: "fragment", isEmpty: false },
    { kind: "fragment", isEmpty: true },
    text("a"),
    undefined,
  ]);
});
