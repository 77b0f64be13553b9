/** Incremental decoding of a WebSocket server's frames (RFC 6455 sections 5 and 8.1). */
import { isCloseCode } from "../../http/close_code.ts";
import { freeBuffer } from "../../platform/free_buffer.ts";
import type { Bytes } from "../../stream/body_reader.ts";
import {
  CONTROL_BIT,
  type FrameHeader,
  OPCODE,
  parseFrameHeader,
  ProtocolViolation,
} from "./frames.ts";

/** A complete message; `bytes` is its length. */
export type Message =
  | { readonly kind: "text"; readonly data: string; readonly bytes: number }
  | {
    readonly kind: "binary";
    /** If it is not in memory of its own, a view of the bytes pushed last: valid until the next `push()`. */
    readonly data: Bytes;
    /** True if its memory can be freed once the message is no longer needed. */
    readonly isOwn: boolean;
    readonly bytes: number;
  };

/** A Close frame (RFC 6455 section 5.5.1). */
export interface Close {
  readonly kind: "close";
  /** 1005 if the frame has no code. */
  readonly code: number;
  readonly reason: string;
  /** True if it was sent, and not received. */
  readonly isOurs?: true;
}

/** A control frame (RFC 6455 section 5.5). */
export type ControlFrame =
  | { readonly kind: "ping"; readonly payload: Uint8Array }
  | { readonly kind: "pong" }
  | Close;

/** A fragment of a message that goes on (RFC 6455 section 5.4). */
interface Fragment {
  readonly kind: "fragment";
  /** True if it carries nothing. */
  readonly isEmpty: boolean;
}

const FRAGMENT: Fragment = { kind: "fragment", isEmpty: false };
const EMPTY_FRAGMENT: Fragment = { kind: "fragment", isEmpty: true };

/** Allocated ahead for a message, whatever its frame declares: so many times what has arrived, so many bytes at most. */
const ALLOCATE_AHEAD_TIMES = 8;
const ALLOCATE_AHEAD_BYTES = 64 * 1024;

export interface DecoderLimits {
  /** The longest message; a longer one violates the protocol (1009). */
  readonly maxMessageBytes: number;
  /** Charges for memory, or returns it if negative; false if there is none for so many bytes more (1009). */
  readonly charge?: (bytes: number) => boolean;
}

const EMPTY = new Uint8Array(0);

// ignoreBOM keeps a byte order mark, which is part of the message.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new ProtocolViolation(1007, "Text is not valid UTF-8");
  }
}

function toMessage(opcode: number, data: Bytes, isOwn: boolean): Message {
  const bytes = data.length;
  if (opcode !== OPCODE.text) return { kind: "binary", data, isOwn, bytes };
  const message: Message = { kind: "text", data: decodeText(data), bytes };
  if (isOwn) freeBuffer(data);
  return message;
}

function toControl(opcode: number, payload: Uint8Array): ControlFrame {
  if (opcode === OPCODE.ping) return { kind: "ping", payload };
  if (opcode === OPCODE.pong) return { kind: "pong" };
  if (payload.length === 0) return { kind: "close", code: 1005, reason: "" };
  const [high, low] = payload;
  if (high === undefined || low === undefined) {
    throw new ProtocolViolation(1002, "Close payload of one octet");
  }
  const code = high << 8 | low;
  if (!isCloseCode(code)) {
    throw new ProtocolViolation(1002, `Invalid close code ${code}`);
  }
  return { kind: "close", code, reason: decodeText(payload.subarray(2)) };
}

/** Turns a server's bytes into messages and control frames. Fragments are told too: no step takes longer than a frame. */
export class FrameDecoder {
  readonly #maxMessageBytes: number;
  readonly #charge: (bytes: number) => boolean;
  #input: Bytes = EMPTY;
  /** The number of bytes of the input that were consumed. */
  #at = 0;
  #header: FrameHeader | undefined;
  /** The number of payload bytes of that frame that are still to come. */
  #remaining = 0;
  /** Text or binary within a fragmented message, continuation between messages. */
  #opcode: number = OPCODE.continuation;
  /** The part of an incomplete message that has arrived, in the first `#buffered` bytes. */
  #buffer = EMPTY;
  #buffered = 0;

  constructor({ maxMessageBytes, charge = () => true }: DecoderLimits) {
    this.#maxMessageBytes = maxMessageBytes;
    this.#charge = charge;
  }

  /** How much of an incomplete message has arrived, bytes. */
  get arrivedBytes(): number {
    return this.#buffered;
  }

  get keptBytes(): number {
    return this.#buffer.length;
  }

  /** Lets go of an incomplete message; the decoder must not be used after that. */
  clear(): void {
    const buffer = this.#buffer;
    this.#release();
    freeBuffer(buffer);
    this.#input = EMPTY;
  }

  /** Adds the next bytes of the stream; to be called once `next()` has returned undefined. */
  push(bytes: Bytes): void {
    if (this.#input.length === 0) {
      this.#input = bytes;
      return;
    }
    const joined = new Uint8Array(this.#input.length + bytes.length);
    joined.set(this.#input);
    joined.set(bytes, this.#input.length);
    this.#input = joined;
  }

  /** The next message, control frame or fragment, or a ProtocolViolation; undefined if more bytes are needed. */
  next(): Message | ControlFrame | Fragment | undefined {
    const header = this.#header ??= this.#nextHeader();
    if (header === undefined) return this.#keepRest();
    const { final, opcode, length } = header;
    const isControl = (opcode & CONTROL_BIT) !== 0;
    const isWhole = this.#input.length - this.#at >= length &&
      this.#remaining === length;

    if (isControl || (isWhole && final && opcode !== OPCODE.continuation)) {
      if (!isWhole) return this.#keepRest();
      this.#header = undefined;
      const payload = this.#take(length);
      if (isControl) return toControl(opcode, payload);
      this.#opcode = OPCODE.continuation;
      return toMessage(opcode, payload, false);
    }

    this.#collect();
    if (this.#remaining > 0) return this.#keepRest();
    this.#header = undefined;
    if (final) return this.#finishMessage();
    return length === 0 ? EMPTY_FRAGMENT : FRAGMENT;
  }

  #nextHeader(): FrameHeader | undefined {
    const header = parseFrameHeader(this.#input, this.#at);
    if (header === undefined) return undefined;
    const { opcode, length } = header;
    if ((opcode & CONTROL_BIT) === 0) {
      const isInside = this.#opcode !== OPCODE.continuation;
      if (isInside !== (opcode === OPCODE.continuation)) {
        const message = isInside
          ? "New message within a fragmented one"
          : "Continuation without a message";
        throw new ProtocolViolation(1002, message);
      }
      if (this.#buffered + length > this.#maxMessageBytes) {
        throw new ProtocolViolation(1009, "Message is too big");
      }
      if (!isInside) this.#opcode = opcode;
    }
    this.#at = header.payloadAt;
    this.#remaining = length;
    return header;
  }

  /** Keeps the few bytes of an incomplete header or control frame, since the pushed bytes may be overwritten now. */
  #keepRest(): undefined {
    const isEmpty = this.#at === this.#input.length;
    this.#input = isEmpty ? EMPTY : this.#input.slice(this.#at);
    this.#at = 0;
  }

  /** Consumes `length` bytes of the frame's payload, as a view. */
  #take(length: number): Bytes {
    const end = this.#at + length;
    const bytes = this.#input.subarray(this.#at, end);
    this.#at = end;
    this.#remaining -= length;
    return bytes;
  }

  #collect(): void {
    const declared = this.#buffered + this.#remaining;
    const arrived = this.#input.length - this.#at;
    const piece = this.#take(Math.min(this.#remaining, arrived));
    const needed = this.#buffered + piece.length;
    if (needed > this.#buffer.length) {
      // Doubling keeps the cost of many small fragments linear; a final frame needs no more than its declared length.
      const capacity = Math.max(
        2 * this.#buffer.length,
        Math.min(ALLOCATE_AHEAD_TIMES * needed, ALLOCATE_AHEAD_BYTES),
      );
      const most = this.#header?.final ? declared : this.#maxMessageBytes;
      this.#grow(Math.max(needed, Math.min(most, capacity)));
    }
    this.#buffer.set(piece, this.#buffered);
    this.#buffered = needed;
  }

  /** @throws {ProtocolViolation} 1009 if there is no memory for a message of that length */
  #grow(length: number): void {
    if (!this.#charge(length - this.#buffer.length)) {
      throw new ProtocolViolation(1009, "No memory for a message");
    }
    const grown = new Uint8Array(length);
    grown.set(this.#buffer.subarray(0, this.#buffered));
    freeBuffer(this.#buffer);
    this.#buffer = grown;
  }

  #finishMessage(): Message {
    const data = this.#buffer.subarray(0, this.#buffered);
    const opcode = this.#opcode;
    this.#opcode = OPCODE.continuation;
    this.#release();
    return toMessage(opcode, data, true);
  }

  #release(): void {
    this.#charge(-this.#buffer.length);
    this.#buffer = EMPTY;
    this.#buffered = 0;
  }
}
