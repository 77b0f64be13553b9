import type { Bytes } from "../../stream/body_reader.ts";
import { protocolError } from "../upstream_error.ts";
import type { BodyDecoder, Decoded } from "./body_decoder.ts";
import { COLON, CR, isHeaderValueByte, isTokenByte, LF } from "./bytes.ts";
import { HEAD_LIMITS } from "./response_head.ts";

/** The 14 hex digits of 2^53 - 1, plus two leading zeros. */
const MAX_SIZE_DIGITS = 16;
/** Per chunk. Extensions are ignored, and the few that occur in practice are short. */
const MAX_EXTENSION_BYTES = 1024;
/** Up to this length, bytes are moved one by one: the call of `copyWithin()` costs as much. */
const SHORT_BYTES = 32;
const SEMICOLON = 0x3b;

/** The part of the chunked body to which the next byte belongs. */
type State = ChunkState | TrailerState | "data" | "done";
type ChunkState = "size" | "extension" | "size-lf" | "data-cr" | "data-lf";
type TrailerState = `trailer-${"start" | "name" | "value" | "lf"}` | "last-lf";

/**
 * The chunked transfer coding (RFC 9112 section 7.1); trailers are validated and discarded. The data of chunks is moved
 * together: an app that sends chunks of one byte would otherwise have an object made for each.
 */
export class ChunkedDecoder implements BodyDecoder {
  readonly endsAtClose = false;
  readonly #limits: typeof HEAD_LIMITS;
  #state: State = "size";
  /** The size of the current chunk, counted down as its bytes arrive. */
  #size = 0;
  #digits = 0;
  #extensionBytes = 0;
  #nextInTrailers = 0;
  #trailerCount = 0;

  constructor(limits = HEAD_LIMITS) {
    this.#limits = limits;
  }

  get done(): boolean {
    return this.#state === "done";
  }

  decode(bytes: Bytes): Decoded {
    let at = 0;
    let start = 0;
    let end = 0;
    while (at < bytes.length && this.#state !== "done") {
      if (this.#state === "data") {
        const length = Math.min(this.#size, bytes.length - at);
        if (start === end) start = end = at;
        else move(bytes, at, end, length);
        end += length;
        at += length;
        this.#size -= length;
        if (this.#size === 0) this.#state = "data-cr";
      } else {
        this.#state = this.#next(this.#state, bytes[at++] ?? 0);
      }
    }
    return { content: bytes.subarray(start, end), consumed: at };
  }

  #next(state: ChunkState | TrailerState, byte: number): State {
    switch (state) {
      case "size":
        return this.#nextInSize(byte);
      case "extension":
        if (byte === CR) return "size-lf";
        if (
          isHeaderValueByte(byte) &&
          ++this.#extensionBytes <= MAX_EXTENSION_BYTES
        ) return "extension";
        throw protocolError("invalid chunk extension");
      case "size-lf":
        if (byte !== LF) throw protocolError("bare CR in a chunk-size line");
        return this.#size === 0 ? "trailer-start" : "data";
      case "data-cr":
        if (byte === CR) return "data-lf";
        throw protocolError("chunk data longer than the chunk size");
      case "data-lf":
        if (byte !== LF) throw protocolError("bare CR after chunk data");
        this.#digits = 0;
        this.#extensionBytes = 0;
        return "size";
      default:
        return this.#nextInTrailer(state, byte);
    }
  }

  #nextInSize(byte: number): State {
    const digit = hexValue(byte);
    if (digit >= 0) {
      this.#size = this.#size * 16 + digit;
      const isSafe = this.#size <= Number.MAX_SAFE_INTEGER;
      if (++this.#digits <= MAX_SIZE_DIGITS && isSafe) return "size";
      throw protocolError("chunk size too large");
    }
    if (this.#digits > 0 && byte === CR) return "size-lf";
    if (this.#digits > 0 && byte === SEMICOLON) return "extension";
    throw protocolError("invalid chunk size");
  }

  #nextInTrailer(state: TrailerState, byte: number): State {
    if (++this.#nextInTrailers > this.#limits.maxHeadBytes) {
      throw protocolError("trailer section too large");
    }
    switch (state) {
      case "trailer-start":
        if (byte === CR) return "last-lf";
        if (!isTokenByte(byte)) {
          throw protocolError("invalid field name in a trailer section");
        }
        if (++this.#trailerCount > this.#limits.maxHeaderCount) {
          throw protocolError("too many trailer fields");
        }
        return "trailer-name";
      case "trailer-name":
        if (byte === COLON) return "trailer-value";
        if (isTokenByte(byte)) return "trailer-name";
        throw protocolError("invalid field name in a trailer section");
      case "trailer-value":
        if (byte === CR) return "trailer-lf";
        if (isHeaderValueByte(byte)) return "trailer-value";
        throw protocolError("control character in a trailer field");
      case "trailer-lf":
        if (byte !== LF) throw protocolError("bare CR in a trailer section");
        return "trailer-start";
      case "last-lf":
        if (byte !== LF) throw protocolError("bare CR in a trailer section");
        return "done";
    }
  }
}

function move(bytes: Bytes, from: number, to: number, length: number): void {
  if (length > SHORT_BYTES) bytes.copyWithin(to, from, from + length);
  else for (let i = 0; i < length; i++) bytes[to + i] = bytes[from + i] ?? 0;
}

function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lowerCase = byte | 0x20;
  return lowerCase >= 0x61 && lowerCase <= 0x66 ? lowerCase - 0x57 : -1;
}
