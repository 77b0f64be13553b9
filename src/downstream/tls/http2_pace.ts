/**
 * The pace of an HTTP/2 client. A frame takes `Deno.serve` about a microsecond, and a header field an eighth of that:
 * everything for a client that sends a million empty frames a second, or blocks of 8,000 references to one header. Whether
 * a client speaks HTTP/2, `Deno.serve` tells by its preface, whatever it has agreed on.
 */
import { HeaderBlockCounter } from "./header_block.ts";

/** The connection preface, which comes before the first frame (RFC 9113 section 3.4). */
const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** The header of a frame (section 4.1). */
const FRAME_HEADER_BYTES = 9;

/** Types of frames (section 6), and flags of HEADERS. */
const HEADERS = 1;
const CONTINUATION = 9;
const PADDED = 0x8;
const PRIORITY = 0x20;

/** The pace, at which a client takes a fiftieth of the time; the frames that may come at once; and fields for a frame. */
const FRAMES_PER_SEC = 20_000;
const BURST_FRAMES = 1000;
const FIELDS_PER_FRAME = 8;

/** Counts the frames of one connection as they pass, and says how long the next ones should wait. */
export class Http2Pace {
  readonly #now: () => number;
  readonly #onOther: (() => void) | undefined;
  readonly #block = new HeaderBlockCounter();
  /** The header of a frame, and the length of its padding, as far as they have come. */
  readonly #header = new DataView(new ArrayBuffer(FRAME_HEADER_BYTES + 1));
  #headerBytes = 0;
  /** Bytes of the payload to come: before a header block's part in it, of that part, and after it. */
  #before = PREFACE.length;
  #within = 0;
  #after = 0;
  /** When everything so far will have been paid for, ms. */
  #paidAt = 0;
  /** False once anything but the preface has come, of which so many bytes have. */
  #isHttp2 = true;
  #matched = 0;

  /** `now` is in ms; `onOther` is called once the client speaks something else. */
  constructor(now: () => number, onOther?: () => void) {
    this.#now = now;
    this.#onOther = onOther;
  }

  /** Notes that these bytes have been passed on; returns the time to wait before the next ones, ms. */
  waitMsAfter(data: Uint8Array): number {
    for (const byte of data) {
      if (!this.#isHttp2 || this.#matched === PREFACE.length) break;
      this.#isHttp2 = byte === PREFACE[this.#matched++];
      if (!this.#isHttp2) this.#onOther?.();
    }
    if (!this.#isHttp2) return 0;
    const now = this.#now();
    const toleratedAt = now - BURST_FRAMES * 1000 / FRAMES_PER_SEC;
    this.#paidAt = Math.max(this.#paidAt, toleratedAt) +
      this.#count(data) * 1000 / FRAMES_PER_SEC;
    return Math.max(0, this.#paidAt - now);
  }

  /** The frames that begin in `data`, and the header fields there, counted in frames. */
  #count(data: Uint8Array): number {
    let frames = 0;
    for (let at = 0; at < data.length;) {
      const left = data.length - at;
      if (this.#before > 0) {
        const length = Math.min(this.#before, left);
        this.#before -= length;
        at += length;
      } else if (this.#within > 0) {
        const part = data.subarray(at, at + this.#within);
        frames += this.#block.count(part) / FIELDS_PER_FRAME;
        this.#within -= part.length;
        at += part.length;
      } else if (this.#after > 0) {
        this.#before = this.#after;
        this.#after = 0;
      } else {
        if (this.#headerBytes === 0) frames++;
        this.#header.setUint8(this.#headerBytes++, data[at++] ?? 0);
        if (this.#headerBytes >= FRAME_HEADER_BYTES) this.#begin(this.#header);
      }
    }
    return frames;
  }

  /** Begins with the payload of a frame, once all is known of it. */
  #begin(header: DataView): void {
    const length = header.getUint32(0) >>> 8;
    const type = header.getUint8(3);
    const flags = header.getUint8(4);
    const isPadded = type === HEADERS && (flags & PADDED) > 0;
    if (isPadded && this.#headerBytes === FRAME_HEADER_BYTES) return;
    this.#headerBytes = 0;
    if (type === HEADERS) {
      this.#block.begin();
      this.#before = flags & PRIORITY ? 5 : 0;
      this.#after = isPadded ? header.getUint8(FRAME_HEADER_BYTES) : 0;
      const other = this.#before + this.#after + (isPadded ? 1 : 0);
      this.#within = Math.max(0, length - other);
    } else if (type === CONTINUATION) {
      this.#within = length;
    } else {
      this.#before = length;
    }
  }
}
