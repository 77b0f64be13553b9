/**
 * Frees the memory of bytes that have done their service, at once: left to the garbage collector, the dead buffers of a
 * large body pile up to some 70 MiB before it looks at them. Whoever else holds that memory, such as an operation of
 * the runtime under way, keeps it; the view and its buffer are empty from then on.
 */
export function release(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}
