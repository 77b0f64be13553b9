import assert from "node:assert/strict";
import { ReadBuffer } from "../../../src/upstream/http1/read_buffer.ts";

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

Deno.test("ReadBuffer grows up to 256 KiB for a stream that is read in bulk", () => {
  assert.equal(lastReadOf(new ReadBuffer()), 256 * 1024);
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
    return size <= 64 * 1024;
  });
  assert.equal(lastReadOf(buffer), 64 * 1024);
  assert.deepEqual(asked.slice(0, 2), [64, 128].map((kib) => kib * 1024));
});
