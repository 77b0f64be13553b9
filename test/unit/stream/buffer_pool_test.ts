import assert from "node:assert/strict";
import { giveBackBuffer, takeBuffer } from "../../../src/stream/buffer_pool.ts";

type Bytes = ReturnType<typeof takeBuffer>;

function taken(count: number, length: number): Bytes[] {
  return Array.from({ length: count }, () => takeBuffer(length));
}

/** How many of the buffers that were given back have waited to be used again. */
function reused(givenBack: readonly Bytes[], length: number): number {
  const known = new Set(givenBack.map(({ buffer }) => buffer));
  return taken(givenBack.length, length)
    .filter(({ buffer }) => known.has(buffer)).length;
}

Deno.test("no memory waits to be used again that is not of the pool", () => {
  const kibs = [0, 2, 4, 8, 16, 32, 64, 128, 256];
  const others = kibs.map((kib) => new Uint8Array(kib * 1024));
  others.push(takeBuffer(64), takeBuffer(300 * 1024));
  for (const other of others) assert.equal(giveBackBuffer(other), false);
  for (const kib of kibs) assert.equal(reused(others, kib * 1024), 0);
});

Deno.test("at most 4 MiB of memory wait to be used again, and some of each size", () => {
  const long = taken(50, 2 ** 17);
  const middling = taken(50, 2 ** 16);
  const short = taken(50, 1000);
  for (const buffers of [long, middling, short]) {
    const kept = buffers.filter(giveBackBuffer);
    assert.equal(kept.length, buffers === long ? 31 : 4);
  }
  assert.equal(reused(long, 2 ** 17), 31);
  assert.equal(reused(middling, 2 ** 16), 4);
  assert.equal(reused(short, 1000), 4);
  assert.equal(takeBuffer(1000).buffer.byteLength, 2113);
});
