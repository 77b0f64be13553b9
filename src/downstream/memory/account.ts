/** How much memory a transfer takes: Deno does not tell what it reads and writes ahead, so these are measured. */
import type { ByteBudget, Holding } from "../../stream/byte_budget.ts";

/** What `Deno.serve` reads of an upload that nobody reads, at most, bytes: 0.5 MiB each of 100 (measured), 0.9 in chunks. */
const READ_AHEAD_BYTES = 768 * 1024;

/** The memory of an upload of which so many bytes have arrived, bytes. */
export function uploadMemory(receivedBytes: number): number {
  return Math.min(2 * receivedBytes, READ_AHEAD_BYTES);
}

/** The chunks of a download that `Deno.serve` holds if its client does not read. */
const CHUNKS_AHEAD = 2;

/** The memory of a download that is read into a buffer of that size, bytes: with the buffer for the next chunk. */
function downloadMemory(size: number): number {
  return (CHUNKS_AHEAD + 1) * size;
}

export class DownloadAccount {
  readonly #budget: Pick<ByteBudget<"download">, "hasPlenty">;
  readonly #memory: Holding;

  /** @param evict Breaks the download off; called if it has to make room for others */
  constructor(
    budget: Pick<ByteBudget<"download">, "open" | "hasPlenty">,
    evict: () => void,
    client?: string,
  ) {
    this.#budget = budget;
    this.#memory = budget.open("download", evict, client);
  }

  /** Whether there is memory to read so many bytes at once, which is charged in that case. */
  mayRead(size: number): boolean {
    const more = downloadMemory(size) - this.#memory.bytes;
    return more <= 0 || this.#budget.hasPlenty(more) && this.#memory.add(more);
  }

  /** Charges for a chunk, by the buffer that it is in. */
  onChunk({ buffer }: Uint8Array): void {
    const needed = downloadMemory(buffer.byteLength);
    if (needed > this.#memory.bytes) this.#memory.set(needed);
  }

  /** The download has ended; its client keeps something waiting until `delivered` resolves, which must not reject. */
  onEnd(delivered: Promise<void>): void {
    this.#memory.set(this.#memory.bytes * CHUNKS_AHEAD / (CHUNKS_AHEAD + 1));
    delivered.then(() => this.close());
  }

  close(): void {
    this.#memory.close();
  }
}
