/**
 * Deno 2.9.6 leaves the memory of bytes that are no longer needed to the garbage collector, which lets the dead buffers
 * of a large body pile up to some 70 MiB (how V8 accounts for them: denoland/deno#35808).
 *
 * Instead, the buffer is transferred, which frees its memory at once.
 */

/** Smaller buffers are left to the garbage collector, for which they are cheap, bytes. */
const MIN_BYTES = 4096;

/**
 * Frees the memory of `bytes` and of everything else in the same buffer; all of these views have length 0 from then on.
 * Any other holder of that memory, such as a pending operation of Deno's, keeps it for as long as it needs it.
 */
export function freeBuffer(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer.byteLength < MIN_BYTES) return; // also if it is detached
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}
