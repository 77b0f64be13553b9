import assert from "node:assert/strict";
import { takeBuffer } from "../../../../src/stream/buffer_pool.ts";
import { ReadBuffer } from "../../../../src/upstream/http1/read_buffer.ts";

/** The size of the reads of a stream that always has more, each of them consumed at once. */
function lastReadOf(buffer: ReadBuffer): number {
  let size = 0;
  for (let reads = 0; reads < 10; reads++) {
    size = buffer.space().length;
    buffer.add(size);
    buffer.consume(size);
  }
  return size;
}

Deno.test("ReadBuffer grows up to 264 KiB for a stream that is read in bulk", () => {
  assert.equal(lastReadOf(new ReadBuffer()), 264 * 1024);
});

Deno.test("S10: ReadBuffer reads at most 16 KiB at once of a stream that is not read in bulk", () => {
  const buffer = new ReadBuffer();
  buffer.isBulk = false;
  assert.equal(lastReadOf(buffer), 16 * 1024);
});

Deno.test("S10: ReadBuffer is small again once a stream is no longer read in bulk", () => {
  const buffer = new ReadBuffer();
  lastReadOf(buffer);
  buffer.isBulk = false;
  assert.equal(lastReadOf(buffer), 16 * 1024);
});

Deno.test("S3: ReadBuffer grows only if there is memory", () => {
  const asked: number[] = [];
  const buffer = new ReadBuffer((size) => {
    asked.push(size);
    return size <= 66 * 1024;
  });
  assert.equal(lastReadOf(buffer), 66 * 1024);
  assert.deepEqual(asked.slice(0, 2), [66, 132].map((kib) => kib * 1024));
});

Deno.test("ReadBuffer gives back the memory that it replaces, with what is unread moved to the other", () => {
  const buffer = new ReadBuffer();
  lastReadOf(buffer); // beyond the sizes that are used again
  buffer.shrink(64 * 1024);
  const usual = buffer.space();
  usual.set([1, 2, 3]);
  buffer.add(3);
  buffer.shrink(32 * 1024);
  const taken = takeBuffer(64 * 1024);
  assert.equal(taken.buffer, usual.buffer);
  taken.fill(0x21);
  assert.deepEqual([...buffer.unread], [1, 2, 3]);
});

/** A buffer with so many unread bytes, of which the first 100 have been consumed, and the memory that they are in. */
function received(length: number): { buffer: ReadBuffer; memory: ArrayBuffer } {
  const buffer = new ReadBuffer();
  const space = buffer.space();
  space.fill(0x61, 0, length);
  buffer.add(length);
  buffer.consume(100);
  return { buffer, memory: space.buffer };
}

Deno.test("ReadBuffer gives its own memory for many bytes that are all there is, and reads into another", () => {
  const { buffer, memory } = received(30_000);
  const taken = buffer.take(29_900);
  assert.equal(taken.buffer, memory);
  assert.equal(buffer.length, 0);
  const space = buffer.space();
  assert.notEqual(space.buffer, memory);
  space.fill(0x21);
  assert.ok(taken.length === 29_900 && taken.every((it) => it === 0x61));
});

Deno.test("ReadBuffer gives a copy of a few bytes, and of some of what is there", () => {
  for (const [length, count] of [[1000, 900], [30_000, 29_000]] as const) {
    const { buffer, memory } = received(length);
    const taken = buffer.take(count);
    assert.notEqual(taken.buffer, memory);
    assert.equal(buffer.length, length - 100 - count);
    memory.transfer(0);
    assert.ok(taken.length === count && taken.every((it) => it === 0x61));
  }
});

Deno.test("ReadBuffer gives back no memory that is somebody else's now", () => {
  const buffer = new ReadBuffer();
  lastReadOf(buffer);
  buffer.shrink(64 * 1024);
  const content = buffer.space();
  assert.equal(content.buffer.byteLength, 66 * 1024 + 1, "it is of the pool");
  buffer.add(content.length);
  buffer.consume(content.length);
  assert.equal(buffer.detach(content).buffer, content.buffer);
  lastReadOf(buffer);
  buffer.shrink(1024);
  const others = Array.from({ length: 10 }, () => takeBuffer(64 * 1024));
  assert.ok(others.every((other) => other.buffer !== content.buffer));
});

Deno.test("ReadBuffer grows to no more than a tunnel may have, whatever came with its head", () => {
  const buffer = new ReadBuffer();
  buffer.space();
  buffer.add(17_000);
  buffer.shrink(2 * 1024);
  buffer.maxBytes = 64 * 1024;
  assert.equal(buffer.unread.length, 17_000);
  buffer.consume(17_000);
  assert.equal(lastReadOf(buffer), 64 * 1024);
});

Deno.test("ReadBuffer has its usual size again once the rest of a short body is read", () => {
  const buffer = new ReadBuffer();
  buffer.gatherIn(takeBuffer(6));
  buffer.keepGathered();
  buffer.add(5);
  buffer.consume(5);
  assert.equal(buffer.space().length, 33 * 1024);
});
