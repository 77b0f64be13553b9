/**
 * Frees the memory of bytes that are no longer needed, at once: left to the garbage collector, the dead buffers of a
 * large body pile up to some 70 MiB before they are collected. Any other holder of that memory, such as a pending
 * operation of the runtime, keeps it; the view and its buffer have length 0 from then on.
 */
export function freeBuffer(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}
