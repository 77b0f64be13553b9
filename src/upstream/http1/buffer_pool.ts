/**
 * Buffers for bodies in one piece, which are used again: one that is allocated is filled with zeros first, and collected
 * later, which takes as long as the body itself. Whoever gives one back must be the last to have seen it.
 */

/** Sizes of buffers, bytes. They are odd, so that no memory of another origin is taken for one of these. */
const SIZES = [2, 4, 16, 32, 64, 128].map((kib) => kib * 1024 + 1);

/** What is not longer is allocated exactly: V8 has it on its own heap, at no cost. Bytes. */
const MAX_HEAP_BYTES = 64;

/** Longer memory is allocated exactly, and not used again, bytes. */
const MAX_POOLED_BYTES = 128 * 1024 + 1;

/** The most memory that waits to be used again, in each thread; bytes. */
const MAX_FREE_BYTES = 4 * 1024 * 1024;

const free = new Map<number, ArrayBuffer[]>(SIZES.map((size) => [size, []]));
let freeBytes = 0;

/** Memory for `length` bytes, with whatever was in it before. */
export function takeBuffer(length: number): Uint8Array<ArrayBuffer> {
  if (!isPooled(length)) return new Uint8Array(length);
  const size = SIZES.find((size) => size >= length) ?? length;
  const buffer = free.get(size)?.pop();
  if (buffer !== undefined) freeBytes -= size;
  return new Uint8Array(buffer ?? new ArrayBuffer(size), 0, length);
}

/** A copy of `bytes`, in such memory. */
export function pooledCopy(
  bytes: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  if (!isPooled(bytes.length)) return bytes.slice();
  const copy = takeBuffer(bytes.length);
  copy.set(bytes);
  return copy;
}

/** Gives back the memory of `bytes`, which must not be used any more; does nothing if it is of another kind. */
export function giveBackBuffer({ buffer }: Uint8Array<ArrayBuffer>): void {
  const size = buffer.byteLength;
  const same = free.get(size);
  if (same === undefined || freeBytes + size > MAX_FREE_BYTES) return;
  same.push(buffer);
  freeBytes += size;
}

/** The memory that waits to be used again, bytes. */
export function freeBufferBytes(): number {
  return freeBytes;
}

function isPooled(length: number): boolean {
  return length > MAX_HEAP_BYTES && length <= MAX_POOLED_BYTES;
}
