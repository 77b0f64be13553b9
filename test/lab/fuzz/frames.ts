/** WebSocket frames, cut anywhere: {@linkcode FrameDecoder}, {@linkcode encodeFrame}, {@linkcode closePayload}. */
import fc from "fast-check";
import assert from "node:assert/strict";
import {
  type ControlFrame,
  FrameDecoder,
  type Message,
} from "../../../src/upstream/websocket/frame_decoder.ts";
import {
  closePayload,
  encodeFrame,
  OPCODE,
  ProtocolViolation,
} from "../../../src/upstream/websocket/frames.ts";
import { isCloseCode } from "../../../src/http/close_code.ts";
import {
  clientFrames,
  concat,
  serverClose,
  serverFrame,
} from "../../support/wire_frames.ts";
import { anyText, cut, type Cuts, cuts } from "./arbitraries.ts";
import { type Property, property, unless } from "./property.ts";

const MAX_MESSAGE_BYTES = 70_000;

/** The decoder's results, with their bytes copied, and the close code of a violation. */
interface Decoded {
  readonly seen: readonly unknown[];
  readonly closeCode: number | undefined;
}

function copied(item: Message | ControlFrame): unknown {
  if (item.kind === "binary") {
    const { kind, data, bytes } = item;
    return { kind, data: [...data], bytes };
  }
  if (item.kind === "ping") return { ...item, payload: [...item.payload] };
  return item;
}

function decode(
  bytes: Uint8Array<ArrayBuffer>,
  at: Cuts,
): Decoded {
  const decoder = new FrameDecoder({ maxMessageBytes: MAX_MESSAGE_BYTES });
  const seen: unknown[] = [];
  // As on a connection, where every read uses the same buffer.
  const memory = new Uint8Array(bytes.length);
  try {
    for (const piece of cut(bytes, at)) {
      memory.set(piece);
      decoder.push(memory.subarray(0, piece.length));
      for (let item = decoder.next(); item; item = decoder.next()) {
        if (item.kind !== "fragment") seen.push(copied(item));
      }
    }
  } catch (error) {
    if (!(error instanceof ProtocolViolation)) throw error;
    return { seen, closeCode: error.closeCode };
  }
  return { seen, closeCode: undefined };
}

const payload = fc.oneof(
  { weight: 12, arbitrary: fc.uint8Array({ maxLength: 140 }) },
  fc.constantFrom(125, 126, 127, 65_535, 65_536)
    .map((length) => new Uint8Array(length).fill(97)),
);

const wellFormed = fc.string({ unit: "binary", maxLength: 60 });

/** A text message in fragments, which may split characters. */
const fragmented = fc.record({
  text: wellFormed,
  points: fc.array(fc.nat(200), { maxLength: 3 }),
  between: fc.boolean(),
}).map(({ text, points, between }) => {
  const bytes = new TextEncoder().encode(text);
  const parts = cut(bytes, points);
  const frames = parts.map((part, index) =>
    serverFrame(index === 0 ? OPCODE.text : OPCODE.continuation, part, {
      final: index === parts.length - 1,
    })
  );
  const ping = { kind: "ping", payload: [1] };
  const message = { kind: "text", data: text, bytes: bytes.length };
  return between
    ? {
      bytes: concat(
        ...frames.slice(0, 1),
        ...(frames.length > 1
          ? [serverFrame(OPCODE.ping, new Uint8Array([1]))]
          : []),
        ...frames.slice(1),
      ),
      items: frames.length > 1 ? [ping, message] : [message],
    }
    : { bytes: concat(...frames), items: [message] };
});

/** Valid frames of a server, and the items that a reader has to get. */
const messages = fc.array(
  fc.oneof(
    fragmented,
    payload.map((data) => ({
      bytes: serverFrame(OPCODE.binary, data),
      items: [{ kind: "binary", data: [...data], bytes: data.length }],
    })),
    fc.uint8Array({ maxLength: 125 }).map((data) => ({
      bytes: serverFrame(OPCODE.ping, data),
      items: [{ kind: "ping", payload: [...data] }],
    })),
    fc.constantFrom(1000, 1011, 3000, 4999).map((code) => ({
      bytes: serverClose(code, "bye \u00e9"),
      items: [{ kind: "close", code, reason: "bye \u00e9" }],
    })),
  ),
  { maxLength: 5 },
).map((parts) => ({
  bytes: concat(...parts.map(({ bytes }) => bytes)),
  items: parts.flatMap(({ items }): unknown[] => items),
}));

/** The same with bytes replaced, deleted and inserted. */
const brokenFrames = fc.tuple(
  messages,
  fc.array(
    fc.tuple(
      fc.nat(300),
      fc.nat(2),
      fc.oneof(
        fc.uint8Array({ maxLength: 3 }),
        fc.constantFrom([0x81, 0xfe], [0x82, 127, 255], [0x88, 1], [0xc1], [0])
          .map((bytes) => new Uint8Array(bytes)),
      ),
    ),
    { minLength: 1, maxLength: 3 },
  ),
).map(([{ bytes }, edits]) =>
  edits.reduce((bytes, [at, gone, inserted]) => {
    const start = at % (bytes.length + 1);
    return concat(
      bytes.subarray(0, start),
      inserted,
      bytes.subarray(start + gone),
    );
  }, bytes)
);

/** Properties of frames. */
export const frameProperties: readonly Property[] = [
  property(
    "FrameDecoder returns every message and control frame, wherever the bytes are cut",
    fc.tuple(messages, cuts),
    ([{ bytes, items }, at]) =>
      assert.deepEqual(decode(bytes, at), {
        seen: items,
        closeCode: undefined,
      }),
  ),

  property(
    "FrameDecoder has the same result for broken frames wherever they are cut",
    fc.tuple(brokenFrames, cuts),
    ([bytes, at]) => assert.deepEqual(decode(bytes, at), decode(bytes, [])),
    1 / 4,
  ),

  property(
    "encodeFrame() writes one masked frame with the payload",
    fc.tuple(
      fc.constantFrom(OPCODE.text, OPCODE.binary, OPCODE.ping, OPCODE.close),
      payload,
    ),
    ([opcode, payload]) => {
      const [frame, ...others] = clientFrames(encodeFrame(opcode, payload));
      assert.deepEqual(frame, {
        opcode,
        final: true,
        payload: new Uint8Array(payload),
      });
      assert.equal(others.length, 0);
    },
  ),

  property(
    "closePayload() throws a RangeError or writes a Close that is read back unchanged",
    fc.tuple(
      fc.oneof(
        fc.constantFrom(
          undefined,
          NaN,
          999,
          1000,
          1004,
          1005,
          1015,
          3000,
          4999,
        ),
        fc.integer(),
      ),
      anyText,
    ),
    ([code, reason]) => {
      const payload = unless(RangeError, () => closePayload(code, reason));
      if (payload === undefined) {
        const length = new TextEncoder().encode(reason).length;
        return assert.ok(!isCloseCode(code ?? 1000) || length > 123);
      }
      const { seen } = decode(serverFrame(OPCODE.close, payload), []);
      const expected = code === undefined
        ? { kind: "close", code: 1005, reason: "" }
        : { kind: "close", code, reason: reason.toWellFormed() };
      assert.deepEqual(seen, [expected]);
    },
  ),
];
