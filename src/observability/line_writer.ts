/** Writes lines in batches, so that a request never waits for a log and thousands of them share one system call. */

/** Takes whole lines, each with its line feed. */
export interface LineWriter {
  /** Never blocks or throws; drops the line where {@linkcode MAX_WAITING} characters wait already. */
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

/** A batch of this many characters does not wait any longer: each is handed to another thread, which costs most of it. */
const BATCH = 131_072;

/** Characters that may wait for a reader that is slow. */
const MAX_WAITING = 4 * 1024 * 1024;

/** How long a line may wait for others, ms. */
const FLUSH_INTERVAL_MS = 100;

/** Creates a writer to `output`, which it locks. */
export function createLineWriter(
  output: WritableStream<Uint8Array>,
): SharedLineWriter {
  const writer = output.getWriter();
  const encoder = new TextEncoder();
  let waiting = "";
  let dropped = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let writing: Promise<void> | undefined;

  async function pass(batch: Uint8Array): Promise<void> {
    // Nobody can be told of a log that cannot be written.
    await writer.write(batch).catch(() => {});
  }

  async function drain(): Promise<void> {
    while (waiting !== "") {
      const batch = encoder.encode(waiting);
      waiting = "";
      await pass(batch);
    }
    writing = undefined;
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    if (waiting === "") return writing ?? Promise.resolve();
    return writing ??= drain();
  }

  return {
    write(line) {
      if (waiting.length > MAX_WAITING) {
        dropped++;
        return;
      }
      waiting += line;
      if (writing !== undefined) return;
      if (waiting.length >= BATCH) flush();
      else timer ??= setTimeout(flush, FLUSH_INTERVAL_MS);
    },
    flush,
    pass,
    get dropped() {
      return dropped;
    },
  };
}
