import assert from "node:assert/strict";

import { FrameWriter } from "../../../../src/upstream/websocket/frame_writer.ts";
import { OPCODE } from "../../../../src/upstream/websocket/frames.ts";
import {
  clientFrames,
  fakeConnection,
  utf8,
} from "../../../support/wire_frames.ts";

Deno.test("FrameWriter counts a frame as unsent until it has been written", async () => {
  const connection = fakeConnection();
  const writer = new FrameWriter(connection);
  connection.pause();
  writer.write(OPCODE.text, utf8("hello"));
  assert.equal(writer.unsentBytes, 11);
  connection.resume();
  await writer.flushed();
  assert.equal(writer.unsentBytes, 0);
  assert.deepEqual(clientFrames(connection.written), [
    { opcode: OPCODE.text, final: true, payload: utf8("hello") },
  ]);
});

Deno.test("FrameWriter keeps the order of frames and joins small ones that wait", async () => {
  const connection = fakeConnection();
  const writer = new FrameWriter(connection);
  connection.pause();
  const sizes = [3, 0, 10, 20_000, 5, 5, 70_000, 1];
  const payloads = sizes.map((size, i) => new Uint8Array(size).fill(i));
  for (const payload of payloads) writer.write(OPCODE.binary, payload);
  connection.resume();
  await writer.flushed();
  assert.deepEqual(
    clientFrames(connection.written).map((frame) => frame.payload),
    payloads,
  );
  // The first is written alone, then 0 and 10 together, 20 000, 5 and 5 together, 70 000, 1.
  assert.equal(connection.writes, 6);
  assert.equal(writer.unsentBytes, 0);
});

Deno.test("FrameWriter.flushed() resolves once the latest frame has been written, whatever follows it", async () => {
  const connection = fakeConnection();
  const writer = new FrameWriter(connection);
  await writer.flushed();
  connection.pause();
  writer.write(OPCODE.text, utf8("1"));
  writer.write(OPCODE.binary, new Uint8Array(20_000));
  const flushed = writer.flushed();
  writer.write(OPCODE.binary, new Uint8Array(30_000));
  connection.resume();
  await flushed;
  assert.equal(connection.writes, 2);
});

Deno.test("FrameWriter drops what it cannot write", async () => {
  const connection = fakeConnection();
  const writer = new FrameWriter(connection);
  connection.pause();
  writer.write(OPCODE.text, utf8("1"));
  writer.write(OPCODE.text, new Uint8Array(20_000));
  connection.close();
  await writer.flushed();
  writer.write(OPCODE.text, utf8("3"));
  await writer.flushed();
  assert.equal(writer.unsentBytes, 0);
  assert.equal(connection.written.length, 0);
});
