import type { Bytes } from "../../stream/body_reader.ts";
import {
  giveBackBuffer,
  pooledCopy,
  takeBuffer,
} from "../../stream/buffer_pool.ts";

/** Initial size, enough for a head and a small body: servers write 32 or 64 KiB at once, beside a head; bytes. */
const MIN_BYTES = 33 * 1024;

/** The most that is read at once while each byte takes much work, bytes. */
const MAX_SLOW_BYTES = 16 * 1024;

/** Size up to which a stream makes the buffer grow; bytes. */
const MAX_BYTES = 8 * MIN_BYTES;

const EMPTY = new Uint8Array(0);

/** Bytes that were received and not yet consumed. Their memory is reused, and grows for a stream. */
export class ReadBuffer {
  /** True while nearly all that is read is content. Otherwise each byte takes much work, and few are read at once. */
  isBulk = true;
  maxBytes = MAX_BYTES;
  readonly #mayGrow: (size: number) => boolean;
  #bytes = new Uint8Array(MIN_BYTES);
  /** The buffer that `#bytes` stands in for while a body is gathered. */
  #usual: Bytes | undefined;
  #leastBytes = MIN_BYTES;
  #start = 0;
  #end = 0;

  /** @param mayGrow Whether there is memory for a buffer of that size, bytes */
  constructor(mayGrow: (size: number) => boolean = () => true) {
    this.#mayGrow = mayGrow;
  }

  get length(): number {
    return this.#end - this.#start;
  }

  /** A view of the unread bytes, which the next `space()` may overwrite. */
  get unread(): Bytes {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  consume(count: number): void {
    this.#start += count;
  }

  /** Consumes the first `count` unread bytes and returns them: with the buffer's memory, or a copy from the pool. */
  take(count: number): Bytes {
    const end = this.#start + count;
    const taken = this.#bytes.subarray(this.#start, end);
    this.#start = end;
    return this.#giveUp(taken) ? taken : pooledCopy(taken);
  }

  /** Gathers all that is unread, and what is added, in `memory`, which must be longer. */
  gatherIn(memory: Bytes): void {
    memory.set(this.unread);
    this.#usual = this.#bytes;
    this.#bytes = memory;
    this.isBulk = true;
    this.#end -= this.#start;
    this.#start = 0;
  }

  /** Ends that: consumes the first `count` bytes and returns them, in the memory that was given for it. */
  takeGathered(count: number): Bytes {
    const gathered = this.#bytes.subarray(0, count);
    const excess = this.#bytes.subarray(count, this.#end);
    this.#bytes = this.#usual ?? new Uint8Array(MIN_BYTES);
    this.#usual = undefined;
    this.#bytes.set(excess);
    this.#start = 0;
    this.#end = excess.length;
    return gathered;
  }

  /** Ends that as well, and keeps the memory, into which a read may be pending. */
  keepGathered(): void {
    this.#usual = undefined;
  }

  /** Detaches `bytes`, consumed, from the buffer: with its memory, or as a copy. */
  detach(bytes: Bytes): Bytes {
    return this.#giveUp(bytes) ? bytes : bytes.slice();
  }

  /** Gives up the memory to `bytes` if they, consumed, fill half of it, which costs less than a copy, and nothing follows. */
  #giveUp(bytes: Bytes): boolean {
    const { length } = this.#bytes;
    if (this.#start !== this.#end || bytes.length * 2 < length) return false;
    this.#bytes = takeBuffer(this.#nextSize(this.#end === length));
    this.#start = this.#end = 0;
    return true;
  }

  /** Free memory to read into, never empty; `add()` says how much of it was filled. */
  space(): Uint8Array<ArrayBuffer> {
    const full = this.#end === this.#bytes.length;
    if (this.#start === this.#end) {
      const size = this.#nextSize(full);
      if (size !== this.#bytes.length) this.#replace(size);
      this.#start = this.#end = 0;
    } else if (full) {
      const { length } = this.#bytes;
      this.#move(this.length > length / 2 ? length * 2 : length);
    }
    return this.#bytes.subarray(this.#end);
  }

  add(count: number): void {
    this.#end += count;
  }

  /** Frees all memory beyond `bytes`, except what the unread bytes occupy. */
  shrink(bytes: number): void {
    this.#leastBytes = Math.min(MIN_BYTES, bytes);
    if (this.#bytes.length <= bytes) return;
    this.#move(Math.max(bytes, this.length));
  }

  /** A buffer that was filled completely is a stream's, and twice the size takes half the reads. */
  #nextSize(full: boolean): number {
    const { length } = this.#bytes;
    if (this.#usual !== undefined) return length;
    // It may have been for the rest of a short body.
    const least = Math.max(length, this.#leastBytes);
    if (!this.isBulk) return Math.min(least, MAX_SLOW_BYTES);
    if (length < least) return least;
    const larger = Math.min(2 * length, this.maxBytes);
    return full && larger > length && this.#mayGrow(larger) ? larger : length;
  }

  #move(size: number): void {
    const { unread } = this;
    if (size === this.#bytes.length) this.#bytes.set(unread);
    else this.#replace(size, unread);
    this.#start = 0;
    this.#end = unread.length;
  }

  /** Nobody has a view of the former memory then that is of use any more. */
  #replace(size: number, unread = EMPTY): void {
    const former = this.#bytes;
    this.#bytes = takeBuffer(size);
    this.#bytes.set(unread);
    giveBackBuffer(former);
  }
}
