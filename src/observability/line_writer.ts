/** Writes lines in batches, so that no request waits for a log and thousands of them share one system call. */

/** Takes whole lines, each with its line feed. */
export type LineWriter = Pick<StreamLineWriter, "write" | "flush" | "dropped">;

/** Size of a batch, bytes. Each batch is handed to another thread to be written, which is most of its cost. */
const BATCH_SIZE = 131_072;

/** Most bytes that wait for a slow reader. */
const MAX_WAITING = 4 * 1024 * 1024;

/** Longest wait of a line for more lines, ms. */
const FLUSH_INTERVAL_MS = 100;

export class StreamLineWriter {
  /** Lines dropped so far because the output is read too slowly. */
  dropped = 0;
  readonly #output: WritableStreamDefaultWriter<Uint8Array>;
  readonly #encoder = new TextEncoder();
  /** Complete batches that wait to be written. */
  readonly #batches: Uint8Array[] = [];
  #batch = new Uint8Array(BATCH_SIZE);
  #used = 0;
  #waiting = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> | undefined;

  /** Locks `output`. */
  constructor(output: WritableStream<Uint8Array>) {
    this.#output = output.getWriter();
  }

  /** Never blocks or throws; drops the line if more than {@linkcode MAX_WAITING} bytes are waiting already. */
  write(line: string): void {
    if (this.#waiting > MAX_WAITING) return void this.dropped++;
    const length = line.length * 3; // most bytes of UTF-8 for UTF-16 code units
    const isFull = length > this.#batch.length - this.#used;
    if (isFull) this.#startBatch(length);
    // Encoded right away: a concatenated string takes three times as long once its parts have left the CPU caches.
    const room = this.#batch.subarray(this.#used);
    const { written } = this.#encoder.encodeInto(line, room);
    this.#used += written;
    this.#waiting += written;
    if (this.#writing !== undefined) return;
    if (isFull) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), FLUSH_INTERVAL_MS);
  }

  /** Resolves when everything written so far has reached the output. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting === 0) return this.#writing ?? Promise.resolve();
    return this.#writing ??= this.#drain();
  }

  /** Queues the current batch for writing, and starts one with room for at least `length` bytes. */
  #startBatch(length: number): void {
    if (this.#used > 0) this.#batches.push(this.#batch.slice(0, this.#used));
    const size = Math.max(BATCH_SIZE, length);
    if (this.#batch.length !== size) this.#batch = new Uint8Array(size);
    this.#used = 0;
  }

  async #drain(): Promise<void> {
    while (this.#waiting > 0) {
      if (this.#batches.length === 0) this.#startBatch(0);
      const next = this.#batches.shift();
      if (next === undefined) break;
      this.#waiting -= next.length;
      // A log that cannot be written cannot be reported anywhere.
      await this.#output.write(next).catch(() => {});
    }
    this.#writing = undefined;
  }
}
