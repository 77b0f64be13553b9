import { protocolError } from "../upstream_error.ts";
import type { BodyDecoder } from "./body_decoder.ts";
import { COLON, CR, isHeaderValueByte, isTokenByte, LF } from "./bytes.ts";
import type { HeadLimits } from "./response_head.ts";

/** The 14 hex digits of 2^53 - 1, plus two leading zeros. */
const MAX_SIZE_DIGITS = 16;
/** Per chunk. Extensions are ignored, and the few that occur in practice are short. */
const MAX_EXTENSION_BYTES = 1024;
const SEMICOLON = 0x3b;

/** Which part of the chunked body the next octet belongs to. */
type State =
  | "size"
  | "extension"
  | "size-lf"
  | "data"
  | "data-cr"
  | "data-lf"
  | "trailer-start"
  | "trailer-name"
  | "trailer-value"
  | "trailer-lf"
  | "last-lf"
  | "done";

/** The chunked transfer coding (RFC 9112 section 7.1); trailer fields are validated and discarded. */
export class ChunkedDecoder implements BodyDecoder {
  readonly endsAtClose = false;
  readonly #limits: HeadLimits;
  #state: State = "size";
  /** The size of the current chunk, counted down as its octets arrive. */
  #size = 0;
  #digits = 0;
  #extensionBytes = 0;
  #trailerBytes = 0;
  #trailerCount = 0;

  constructor(limits: HeadLimits) {
    this.#limits = limits;
  }

  get done(): boolean {
    return this.#state === "done";
  }

  decode(
    octets: Uint8Array<ArrayBuffer>,
    content: Uint8Array<ArrayBuffer>[],
  ): number {
    let at = 0;
    while (at < octets.length && this.#state !== "done") {
      if (this.#state === "data") {
        const end = Math.min(at + this.#size, octets.length);
        content.push(octets.subarray(at, end));
        this.#size -= end - at;
        at = end;
        if (this.#size === 0) this.#state = "data-cr";
      } else {
        this.#state = this.#next(this.#state, octets[at++] ?? 0);
      }
    }
    return at;
  }

  #next(state: Exclude<State, "data" | "done">, octet: number): State {
    switch (state) {
      case "size":
        return this.#sizeOctet(octet);
      case "extension":
        if (octet === CR) return "size-lf";
        if (
          !isHeaderValueByte(octet) ||
          ++this.#extensionBytes > MAX_EXTENSION_BYTES
        ) {
          throw protocolError("invalid chunk extension");
        }
        return "extension";
      case "size-lf":
        if (octet !== LF) {
          throw protocolError("bare CR in a chunk-size line");
        }
        return this.#size === 0 ? "trailer-start" : "data";
      case "data-cr":
        if (octet !== CR) {
          throw protocolError("chunk data longer than the chunk size");
        }
        return "data-lf";
      case "data-lf":
        if (octet !== LF) throw protocolError("bare CR after chunk data");
        this.#digits = 0;
        this.#extensionBytes = 0;
        return "size";
      default:
        return this.#trailerOctet(state, octet);
    }
  }

  #sizeOctet(octet: number): State {
    const digit = hexValue(octet);
    if (digit >= 0) {
      this.#size = this.#size * 16 + digit;
      if (
        ++this.#digits > MAX_SIZE_DIGITS || this.#size > Number.MAX_SAFE_INTEGER
      ) {
        throw protocolError("chunk size too large");
      }
      return "size";
    }
    if (this.#digits > 0 && octet === CR) return "size-lf";
    if (this.#digits > 0 && octet === SEMICOLON) return "extension";
    throw protocolError("invalid chunk size");
  }

  #trailerOctet(
    state:
      | "trailer-start"
      | "trailer-name"
      | "trailer-value"
      | "trailer-lf"
      | "last-lf",
    octet: number,
  ): State {
    if (++this.#trailerBytes > this.#limits.maxHeadBytes) {
      throw protocolError("trailer section too large");
    }
    switch (state) {
      case "trailer-start":
        if (octet === CR) return "last-lf";
        if (!isTokenByte(octet)) {
          throw protocolError("invalid field name in a trailer section");
        }
        if (++this.#trailerCount > this.#limits.maxHeaderCount) {
          throw protocolError("too many trailer fields");
        }
        return "trailer-name";
      case "trailer-name":
        if (octet === COLON) return "trailer-value";
        if (!isTokenByte(octet)) {
          throw protocolError("invalid field name in a trailer section");
        }
        return "trailer-name";
      case "trailer-value":
        if (octet === CR) return "trailer-lf";
        if (!isHeaderValueByte(octet)) {
          throw protocolError("control character in a trailer field");
        }
        return "trailer-value";
      case "trailer-lf":
        if (octet !== LF) throw protocolError("bare CR in a trailer section");
        return "trailer-start";
      case "last-lf":
        if (octet !== LF) throw protocolError("bare CR in a trailer section");
        return "done";
    }
  }
}

/** The value of a hex digit, -1 for any other octet. */
function hexValue(octet: number): number {
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30;
  const lowerCase = octet | 0x20;
  return lowerCase >= 0x61 && lowerCase <= 0x66 ? lowerCase - 0x57 : -1;
}
