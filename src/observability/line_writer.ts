/** Writes lines in batches, so that no request waits for a log and thousands of them share one system call. */

/** Takes whole lines, each with its line feed. */
export interface LineWriter {
  /** Never blocks or throws; drops the line if more than {@linkcode MAX_WAITING} bytes are waiting already. */
  write(line: string): void;
  /** Resolves when everything written so far has reached the output. */
  flush(): Promise<void>;
  /** Lines dropped so far because the output is read too slowly. */
  readonly dropped: number;
}

/** A line writer whose output other threads share. */
export interface SharedLineWriter extends LineWriter {
  /** Writes whole lines that another thread has batched; resolves when they have been written. */
  writeBatch(batch: Uint8Array): Promise<void>;
}

/** Size of a batch, bytes. Each batch is handed to another thread to be written, which is most of its cost. */
const BATCH_SIZE = 131_072;

/** How much may wait for a slow reader, bytes. */
const MAX_WAITING = 4 * 1024 * 1024;

/** Most bytes of UTF-8 that one UTF-16 code unit takes. */
const MAX_BYTES_PER_UNIT = 3;

/** How long a line may wait for more lines, ms. */
const FLUSH_INTERVAL_MS = 100;

/** Creates a writer to `output`, which it locks. */
export function createLineWriter(
  output: WritableStream<Uint8Array>,
): SharedLineWriter {
  const writer = output.getWriter();
  const encoder = new TextEncoder();
  /** Sealed and not written yet. */
  const batches: Uint8Array[] = [];
  let batch = new Uint8Array(BATCH_SIZE);
  let used = 0;
  let waiting = 0;
  let dropped = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let writing: Promise<void> | undefined;

  /** Queues the current batch for writing, and starts one with room for at least `length` bytes. */
  function seal(length: number): void {
    if (used > 0) batches.push(batch.slice(0, used));
    const size = Math.max(BATCH_SIZE, length);
    if (batch.length !== size) batch = new Uint8Array(size);
    used = 0;
  }

  async function writeBatch(bytes: Uint8Array): Promise<void> {
    // A log that cannot be written cannot be reported anywhere.
    await writer.write(bytes).catch(() => {});
  }

  async function drain(): Promise<void> {
    while (waiting > 0) {
      if (batches.length === 0) seal(0);
      const next = batches.shift();
      if (next === undefined) break;
      waiting -= next.length;
      await writeBatch(next);
    }
    writing = undefined;
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    if (waiting === 0) return writing ?? Promise.resolve();
    return writing ??= drain();
  }

  return {
    write(line) {
      if (waiting > MAX_WAITING) {
        dropped++;
        return;
      }
      const length = line.length * MAX_BYTES_PER_UNIT;
      const isFull = length > batch.length - used;
      if (isFull) seal(length);
      // Encoded right away: a concatenated string takes three times as long once its parts have left the CPU caches.
      const { written } = encoder.encodeInto(line, batch.subarray(used));
      used += written;
      waiting += written;
      if (writing !== undefined) return;
      if (isFull) flush();
      else timer ??= setTimeout(flush, FLUSH_INTERVAL_MS);
    },
    flush,
    writeBatch,
    get dropped() {
      return dropped;
    },
  };
}
