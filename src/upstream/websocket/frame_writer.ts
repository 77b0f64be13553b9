/** The queue of frames to an upstream: written in order, small ones coalesced, unsent bytes counted. */

import { freeBuffer } from "../../platform/free_buffer.ts";
import type { UpgradedConnection } from "../http1/upgraded_connection.ts";
import { encodeFrame, type SentOpcode } from "./frames.ts";

interface Batch {
  readonly bytes: Uint8Array<ArrayBuffer>;
  used: number;
  readonly written: PromiseWithResolvers<void>;
}

/** Queued frames share buffers of this size: a million tiny messages cost their bytes, not a million objects. */
const BATCH_BYTES = 16 * 1024;

function toBatch(bytes: Uint8Array<ArrayBuffer>, used: number): Batch {
  const written = Promise.withResolvers<void>();
  // A caller that ignores the promise learns of the failure by reading, since the stream ends too.
  written.promise.catch(() => {});
  return { bytes, used, written };
}

/** Writes frames to a connection; leaves it open if a write fails, since the peer's last frames can still be read. */
export class FrameWriter {
  readonly #connection: UpgradedConnection;
  readonly #queue: Batch[] = [];
  readonly #charge: (bytes: number) => unknown;
  #isWriting = false;
  #unsentBytes = 0;

  /** @param charge Charges for memory, or returns it if negative */
  constructor(
    connection: UpgradedConnection,
    charge: (bytes: number) => unknown = () => {},
  ) {
    this.#connection = connection;
    this.#charge = charge;
  }

  /** The number of bytes of frames that are queued or being written. */
  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  /**
   * Queues one frame; resolves once it has been written.
   *
   * @throws {UpstreamError} If the connection failed; the promise may be ignored.
   */
  write(opcode: SentOpcode, payload: Uint8Array): Promise<void> {
    const frame = encodeFrame(opcode, payload);
    this.#count(frame.length);
    const last = this.#queue.at(-1);
    if (last !== undefined && last.bytes.length - last.used >= frame.length) {
      last.bytes.set(frame, last.used);
      last.used += frame.length;
      return last.written.promise;
    }
    const hasRoom = this.#isWriting && frame.length < BATCH_BYTES;
    const bytes = hasRoom ? new Uint8Array(BATCH_BYTES) : frame;
    if (hasRoom) bytes.set(frame);
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
      freeBuffer(batch.bytes);
      this.#count(-batch.used);
    }
    this.#isWriting = false;
  }

  #count(bytes: number): void {
    this.#charge(bytes);
    this.#unsentBytes += bytes;
  }
}
