/** The queue of frames on their way to an upstream: written in order, small ones together, every octet counted. */

import { encodeFrame, type SentOpcode } from "./frames.ts";
import type { UpgradedConnection } from "./types.ts";

interface Batch {
  readonly bytes: Uint8Array<ArrayBuffer>;
  used: number;
  readonly written: PromiseWithResolvers<void>;
}

/** Frames that wait share buffers of this size: a million tiny messages cost their octets, not a million objects. */
const BATCH_BYTES = 16 * 1024;

function toBatch(bytes: Uint8Array<ArrayBuffer>, used: number): Batch {
  const written = Promise.withResolvers<void>();
  // Whoever does not wait for a write learns of its failure from reading: the stream ends there too.
  written.promise.catch(() => {});
  return { bytes, used, written };
}

/** Writes frames to `connection`, which it leaves open when a write fails: the peer's last words may still be read. */
export class FrameWriter {
  readonly #connection: UpgradedConnection;
  readonly #queue: Batch[] = [];
  #isWriting = false;
  #unsentBytes = 0;

  constructor(connection: UpgradedConnection) {
    this.#connection = connection;
  }

  /** Octets of frames that the connection has not taken yet. */
  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  /**
   * Queues one frame; resolves when the connection has taken it.
   *
   * @throws {UpstreamError} If the connection is lost; a caller may ignore that.
   */
  write(opcode: SentOpcode, payload: Uint8Array): Promise<void> {
    const frame = encodeFrame(opcode, payload);
    this.#unsentBytes += frame.length;
    const last = this.#queue.at(-1);
    if (last !== undefined && last.bytes.length - last.used >= frame.length) {
      last.bytes.set(frame, last.used);
      last.used += frame.length;
      return last.written.promise;
    }
    const mayBeJoined = this.#isWriting && frame.length < BATCH_BYTES;
    const bytes = mayBeJoined ? new Uint8Array(BATCH_BYTES) : frame;
    if (mayBeJoined) bytes.set(frame);
    const batch = toBatch(bytes, frame.length);
    this.#queue.push(batch);
    if (!this.#isWriting) this.#drain();
    return batch.written.promise;
  }

  async #drain(): Promise<void> {
    this.#isWriting = true;
    for (
      let batch = this.#queue.shift();
      batch !== undefined;
      batch = this.#queue.shift()
    ) {
      try {
        await this.#connection.write(batch.bytes.subarray(0, batch.used));
        batch.written.resolve();
      } catch (error) {
        batch.written.reject(error);
      }
      this.#unsentBytes -= batch.used;
    }
    this.#isWriting = false;
  }
}
