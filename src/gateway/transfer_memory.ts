/** How much memory a transfer takes: Deno does not tell what it reads and writes ahead, so these are measured. */

/**
 * What `Deno.serve` reads of an upload before it is asked to, at most, bytes: measured with 100 uploads to apps that do
 * not read, which took 0.5 MiB each, or 0.9 MiB in chunks.
 */
const READ_AHEAD_BYTES = 768 * 1024;

/** The memory of an upload of which so many bytes have arrived, bytes. */
export function uploadMemory(receivedBytes: number): number {
  return Math.min(2 * receivedBytes, READ_AHEAD_BYTES);
}

/** The chunks of a download that `Deno.serve` holds if its client does not read. */
const CHUNKS_AHEAD = 2;

/**
 * The memory of a download, bytes, that is read into a buffer of that size: what the front holds, and a buffer for the
 * next chunk.
 */
export function downloadMemory(size: number): number {
  return (CHUNKS_AHEAD + 1) * size;
}

/** What is left of that once the download has ended, until the client has taken its last chunks. */
export function untakenMemory(memory: number): number {
  return memory * CHUNKS_AHEAD / (CHUNKS_AHEAD + 1);
}
