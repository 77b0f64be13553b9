/**
 * Buffers for what is received, which are used again: one that is allocated is filled with zeros first, and collected
 * later, which takes as long as the bytes themselves. Whoever gives one back must be the last to have seen it.
 */
import type { Bytes } from "./body_reader.ts";

/** Sizes of buffers, bytes: powers of 2, with room for a head or the framing of a chunk. They are odd: memory of another origin is hardly ever of such a size, and is not kept. */
const SIZES = [2112, 4224, 8448, 16_896, 33_792, 67_584, 135_168, 270_336]
  .map((bytes) => bytes + 1);

/** What is not longer is allocated exactly: V8 has it on its own heap, at no cost. Bytes. */
const MAX_HEAP_BYTES = 64;

/** The most memory that waits to be used again, in each thread, bytes; but of each size, some always may. */
const MAX_FREE_BYTES = 4 * 1024 * 1024;
const MIN_FREE_BUFFERS = 4;

const free = new Map<number, ArrayBuffer[]>(SIZES.map((size) => [size, []]));
let freeBytes = 0;

/** Memory for `length` bytes, with whatever was in it before. */
export function takeBuffer(length: number): Bytes {
  const size = sizeFor(length);
  if (size === undefined) return new Uint8Array(length);
  const buffer = free.get(size)?.pop();
  if (buffer !== undefined) freeBytes -= size;
  return new Uint8Array(buffer ?? new ArrayBuffer(size), 0, length);
}

/** A copy of `bytes`, in such memory. */
export function pooledCopy(bytes: Bytes): Bytes {
  if (sizeFor(bytes.length) === undefined) return bytes.slice();
  const copy = takeBuffer(bytes.length);
  copy.set(bytes);
  return copy;
}

/** Gives back the memory of `bytes`, which must not be used any more; false if it is of another kind, or not needed. */
export function giveBackBuffer(bytes: Bytes): boolean {
  if (bytes.length <= MAX_HEAP_BYTES) return false;
  const { buffer } = bytes;
  const size = buffer.byteLength;
  const same = free.get(size);
  if (same === undefined) return false;
  const isFull = freeBytes + size > MAX_FREE_BYTES;
  if (isFull && same.length >= MIN_FREE_BUFFERS) return false;
  same.push(buffer);
  freeBytes += size;
  return true;
}

/** The size of the buffer for `length` bytes; undefined if it is not one of these. */
function sizeFor(length: number): number | undefined {
  if (length <= MAX_HEAP_BYTES) return undefined;
  return SIZES.find((size) => size >= length);
}
