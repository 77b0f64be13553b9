import assert from "node:assert/strict";
import {
  closePayload,
  encodeFrame,
  OPCODE,
} from "../../../../src/upstream/websocket/frames.ts";
import { isCloseCode } from "../../../../src/http/close_code.ts";
import { clientFrames } from "../../../support/wire_frames.ts";

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i * 7 & 255);
}

Deno.test("encodeFrame() makes one masked final frame of any length", () => {
  for (const length of [0, 1, 2, 3, 4, 5, 125, 126, 127, 65535, 65536, 65537]) {
    const payload = pattern(length);
    const frame = encodeFrame(OPCODE.binary, payload);
    assert.deepEqual(clientFrames(frame), [
      { opcode: OPCODE.binary, final: true, payload },
    ]);
    const head = length < 126 ? 6 : length < 65536 ? 8 : 14;
    assert.equal(frame.length, head + length, `length ${length} is minimal`);
  }
});

Deno.test("encodeFrame() does not change the payload, even at an odd address", () => {
  const memory = pattern(100);
  const payload = memory.subarray(3, 98);
  const [frame] = clientFrames(encodeFrame(OPCODE.text, payload));
  assert.deepEqual(frame?.payload, payload);
  assert.deepEqual(memory, pattern(100));
});

Deno.test("encodeFrame() masks every frame with a fresh key", () => {
  const keys = new Set<string>();
  for (let i = 0; i < 3000; i++) {
    keys.add(encodeFrame(OPCODE.ping, pattern(0)).subarray(2, 6).toHex());
  }
  assert.ok(keys.size > 2990, `${keys.size} different keys of 3000`);
});

Deno.test("closePayload() encodes the code in network order and the reason in UTF-8", () => {
  assert.deepEqual(closePayload(undefined, "unused"), new Uint8Array(0));
  assert.deepEqual(closePayload(1000, ""), Uint8Array.of(0x03, 0xe8));
  assert.deepEqual(
    closePayload(4999, "é"),
    Uint8Array.of(0x13, 0x87, 0xc3, 0xa9),
  );
  assert.equal(closePayload(1000, "x".repeat(123)).length, 125);
});

Deno.test("closePayload() rejects a code or reason that no Close frame can carry", () => {
  assert.throws(() => closePayload(1005, ""), RangeError);
  assert.throws(() => closePayload(1006, ""), RangeError);
  assert.throws(() => closePayload(1000, "x".repeat(124)), RangeError);
  assert.throws(() => closePayload(1000, "é".repeat(62)), RangeError);
});

Deno.test("isCloseCode() accepts exactly the codes of RFC 6455 section 7.4 and its registry", () => {
  const registered = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011]
    .concat([1012, 1013, 1014]);
  for (let code = 0; code < 6000; code++) {
    const expected = registered.includes(code) ||
      (code >= 3000 && code <= 4999);
    assert.equal(isCloseCode(code), expected, `code ${code}`);
  }
});
