import type { HeaderList } from "../../http/headers.ts";
import { protocolError } from "../upstream_error.ts";
import {
  COLON,
  CR,
  decodeLatin1,
  HTAB,
  isHeaderValueByte,
  isTokenByte,
  LF,
  SP,
} from "./bytes.ts";

/** The limits of a head or trailer section that an upstream may send, in bytes and headers. */
export const HEAD_LIMITS = { maxHeadBytes: 64 * 1024, maxHeaderCount: 200 };

/** A response head, with what its headers say about the message's framing and the connection. */
export interface UpstreamHead {
  readonly status: number;
  readonly headers: HeaderList;
  /** Content-Length in bytes; null if there is none. Never together with `chunked`. */
  readonly contentLength: number | null;
  readonly chunked: boolean;
  /** True if another exchange may follow on the connection (RFC 9112 section 9.3). */
  readonly keepAlive: boolean;
}

const STATUS_LINE =
  /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?\r\n/;

/**
 * The index after the empty line that ends a head; -1 if it has not arrived yet. The first `searched` bytes were
 * searched before. RFC 9112 section 2.2 permits a bare LF as a line terminator, but if two parsers can disagree about
 * where a head ends, a second message can hide in between.
 * @throws {UpstreamError} `protocol_error` on a bare LF.
 */
export function findHeadEnd(bytes: Uint8Array, searched: number): number {
  let lf = bytes.indexOf(LF, searched);
  for (; lf >= 0; lf = bytes.indexOf(LF, lf + 1)) {
    if (bytes[lf - 1] !== CR) throw protocolError("bare LF in a response head");
    if (lf === 1 || bytes[lf - 2] === LF) return lf + 1;
  }
  return -1;
}

/**
 * Parses one complete head, including its empty line (RFC 9112 sections 4 and 5), without any of the leniency that the
 * RFC permits.
 * @throws {UpstreamError} `protocol_error`
 */
export function parseResponseHead(
  bytes: Uint8Array,
  { maxHeaderCount } = HEAD_LIMITS,
): UpstreamHead {
  const text = decodeLatin1(bytes);
  const statusLine = STATUS_LINE.exec(text);
  if (statusLine === null) throw protocolError("invalid status line");
  const [line, minor, status] = statusLine;

  const headers: [string, string][] = [];
  let at = line.length;
  while (bytes[at] !== CR) {
    if (headers.length === maxHeaderCount) {
      throw protocolError("too many fields in a response head");
    }
    const nameStart = at;
    while (isTokenByte(bytes[at])) at++;
    // Also rejects a folded line (obs-fold) and a space before the colon.
    if (at === nameStart || bytes[at] !== COLON) {
      throw protocolError("invalid field name in a response head");
    }
    const name = text.slice(nameStart, at++);

    while (isBlank(bytes[at])) at++;
    const valueStart = at;
    while (isHeaderValueByte(bytes[at])) at++;
    if (bytes[at] !== CR || bytes[at + 1] !== LF) {
      throw protocolError("control character in a field value");
    }
    let end = at;
    while (end > valueStart && isBlank(bytes[end - 1])) end--;
    headers.push([name, text.slice(valueStart, end)]);
    at += 2;
  }
  if (at + 2 !== bytes.length) {
    throw protocolError("bare CR in a response head");
  }
  return toResponseHead(Number(status), headers, minor === "1");
}

function isBlank(byte: number | undefined): boolean {
  return byte === SP || byte === HTAB;
}

/** Adds what the headers say about framing and the connection (RFC 9112 sections 6 and 9.3). */
function toResponseHead(
  status: number,
  headers: HeaderList,
  isHttp11: boolean,
): UpstreamHead {
  let contentLength: number | null = null;
  let chunked = false;
  let connection = "";
  for (const [name, value] of headers) {
    // The lengths of the three names: lower-casing every name would take longer.
    const { length } = name;
    if (length !== 10 && length !== 14 && length !== 17) continue;
    switch (name.toLowerCase()) {
      case "connection":
        connection += `,${value}`;
        break;
      case "content-length":
        if (contentLength === null) contentLength = parseContentLength(value);
        else throw protocolError("two Content-Length fields");
        break;
      case "transfer-encoding":
        if (chunked || value.toLowerCase() !== "chunked") {
          throw protocolError("unknown transfer coding");
        }
        if (!isHttp11) throw protocolError("Transfer-Encoding in HTTP/1.0");
        chunked = true;
        break;
    }
  }
  if (chunked && contentLength !== null) {
    throw protocolError("both Content-Length and Transfer-Encoding");
  }
  // A 204 that declares a body contradicts itself, and its sender may well send that body.
  const isContradictory = status === 204 &&
    (chunked || (contentLength ?? 0) > 0);
  const keepAlive = isKeptAlive(isHttp11, connection) && !isContradictory;
  return { status, headers, contentLength, chunked, keepAlive };
}

function parseContentLength(value: string): number {
  const length = /^[0-9]+$/.test(value) ? Number(value) : NaN;
  if (Number.isSafeInteger(length)) return length;
  throw protocolError("invalid Content-Length");
}

/** True if a connection persists, by the version and the Connection options of a message (RFC 9112 section 9.3). */
function isKeptAlive(byDefault: boolean, connection: string): boolean {
  if (connection === "") return byDefault;
  const options = connection.toLowerCase().split(",").map((x) => x.trim());
  if (options.includes("close")) return false;
  return byDefault || options.includes("keep-alive");
}
