import assert from "node:assert/strict";

import { FrameWriter } from "../../../src/upstream/websocket/frame_writer.ts";
import { OPCODE } from "../../../src/upstream/websocket/frames.ts";
import {
  clientFrames,
  fakeConnection,
  utf8,
} from "../../support/wire_frames.ts";

Deno.test("FrameWriter counts a frame as unsent until its write() resolves", async () => {
  const connection = fakeConnection();
  const writer = new FrameWriter(connection);
  connection.pause();
  const written = writer.write(OPCODE.text, utf8("hello"));
  assert.equal(writer.unsentBytes, 11);
  connection.resume();
  await written;
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
  const writes = payloads.map((payload) =>
    writer.write(OPCODE.binary, payload)
  );
  connection.resume();
  await Promise.all(writes);
  assert.deepEqual(
    clientFrames(connection.written).map((frame) => frame.payload),
    payloads,
  );
  // The first is written alone, then 0 and 10 together, 20 000, 5 and 5 together, 70 000, 1.
  assert.equal(connection.writes, 6);
  assert.equal(writer.unsentBytes, 0);
});

Deno.test("FrameWriter.write() rejects if the connection is lost, for queued frames too", async () => {
  const connection = fakeConnection();
  const writer = new FrameWriter(connection);
  connection.pause();
  const first = writer.write(OPCODE.text, utf8("1"));
  const second = writer.write(OPCODE.text, new Uint8Array(20_000));
  connection.close();
  await assert.rejects(first);
  await assert.rejects(second);
  await assert.rejects(writer.write(OPCODE.text, utf8("3")));
  assert.equal(writer.unsentBytes, 0);
  assert.equal(connection.written.length, 0);
});

Deno.test("FrameWriter.write() causes no unhandled rejection if its promise is ignored", async () => {
  const connection = fakeConnection();
  const writer = new FrameWriter(connection);
  connection.close();
  writer.write(OPCODE.text, utf8("lost"));
  await assert.rejects(writer.write(OPCODE.text, utf8("also lost")));
});
