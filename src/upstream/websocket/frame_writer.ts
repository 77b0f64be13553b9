/** The queue of frames to an upstream: written in order, small ones coalesced, unsent bytes counted. */
import { freeBuffer } from "../../platform/free_buffer.ts";
import type { Bytes } from "../../stream/body_reader.ts";
import type { UpgradedConnection } from "../http1/upgraded_connection.ts";
import { encodeFrame, type SentOpcode } from "./frames.ts";

interface Batch {
  readonly bytes: Bytes;
  used: number;
  /** Resolved once it has been written, or that has failed, if somebody waits for it. */
  written: PromiseWithResolvers<void> | undefined;
}

/** Queued frames share buffers of this size: a million tiny messages cost their bytes, not a million objects. */
const BATCH_BYTES = 16 * 1024;

/** Writes frames to a connection, and leaves it open if that fails: who reads the peer's last frames learns of it. */
export class FrameWriter {
  readonly #connection: UpgradedConnection;
  readonly #queue: Batch[] = [];
  readonly #charge: (bytes: number) => unknown;
  #writing: Batch | undefined;
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

  write(opcode: SentOpcode, payload: Uint8Array): void {
    const frame = encodeFrame(opcode, payload);
    this.#count(frame.length);
    const last = this.#queue.at(-1);
    if (last !== undefined && last.bytes.length - last.used >= frame.length) {
      last.bytes.set(frame, last.used);
      last.used += frame.length;
      return;
    }
    const isWriting = this.#writing !== undefined;
    const hasRoom = isWriting && frame.length < BATCH_BYTES;
    const bytes = hasRoom ? new Uint8Array(BATCH_BYTES) : frame;
    if (hasRoom) bytes.set(frame);
    this.#queue.push({ bytes, used: frame.length, written: undefined });
    if (!isWriting) this.#drain();
  }

  /** Resolves once all frames so far have been written, or the connection has failed; never rejects. */
  flushed(): Promise<void> {
    const last = this.#queue.at(-1) ?? this.#writing;
    if (last === undefined) return Promise.resolve();
    last.written ??= Promise.withResolvers();
    return last.written.promise;
  }

  async #drain(): Promise<void> {
    let batch = this.#queue.shift();
    for (; batch !== undefined; batch = this.#queue.shift()) {
      this.#writing = batch;
      try {
        await this.#connection.write(batch.bytes.subarray(0, batch.used));
      } catch {
        // Every later write fails as well.
      }
      freeBuffer(batch.bytes);
      this.#count(-batch.used);
      batch.written?.resolve();
    }
    this.#writing = undefined;
  }

  #count(bytes: number): void {
    this.#charge(bytes);
    this.#unsentBytes += bytes;
  }
}
