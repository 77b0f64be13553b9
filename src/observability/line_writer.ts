/** Writes lines in batches, so that a request never waits for a log and thousands of them share one system call. */

/** Takes whole lines, each with its line feed. */
export interface LineWriter {
  /** Never blocks or throws; drops the line where {@linkcode MAX_WAITING} octets wait already. */
  write(line: string): void;
  /** Resolves when what was written so far is out. */
  flush(): Promise<void>;
  /** Lines dropped so far: whoever reads the output is too slow for it. */
  readonly dropped: number;
}

/** A line writer whose output others may use too. */
export interface SharedLineWriter extends LineWriter {
  /** Writes whole lines that another thread has batched; resolves when they are out. */
  pass(batch: Uint8Array): Promise<void>;
}

/** Octets of a batch: each is handed to another thread, which costs most of it. */
const BATCH = 131_072;

/** Octets that may wait for a reader that is slow. */
const MAX_WAITING = 4 * 1024 * 1024;

/** A UTF-16 code unit takes three octets of UTF-8 at most. */
const MAX_OCTETS = 3;

/** How long a line may wait for others, ms. */
const FLUSH_INTERVAL_MS = 100;

/** Creates a writer to `output`, which it locks. */
export function createLineWriter(
  output: WritableStream<Uint8Array>,
): SharedLineWriter {
  const writer = output.getWriter();
  const encoder = new TextEncoder();
  /** Filled, and not written yet. */
  const batches: Uint8Array[] = [];
  let batch = new Uint8Array(BATCH);
  let used = 0;
  let waiting = 0;
  let dropped = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let writing: Promise<void> | undefined;

  /** Sets aside what was put together, to be written, and makes room for `length` octets. */
  function seal(length: number): void {
    if (used > 0) batches.push(batch.slice(0, used));
    const size = Math.max(BATCH, length);
    if (batch.length !== size) batch = new Uint8Array(size);
    used = 0;
  }

  async function pass(octets: Uint8Array): Promise<void> {
    // Nobody can be told of a log that cannot be written.
    await writer.write(octets).catch(() => {});
  }

  async function drain(): Promise<void> {
    while (waiting > 0) {
      if (batches.length === 0) seal(0);
      const next = batches.shift();
      if (next === undefined) break;
      waiting -= next.length;
      await pass(next);
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
      const length = line.length * MAX_OCTETS;
      const isFull = length > batch.length - used;
      if (isFull) seal(length);
      // At once: a text that is put together of parts takes three times as long when they are out of the caches.
      const { written } = encoder.encodeInto(line, batch.subarray(used));
      used += written;
      waiting += written;
      if (writing !== undefined) return;
      if (isFull) flush();
      else timer ??= setTimeout(flush, FLUSH_INTERVAL_MS);
    },
    flush,
    pass,
    get dropped() {
      return dropped;
    },
  };
}
