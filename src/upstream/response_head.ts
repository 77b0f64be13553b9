import { protocolError } from "./errors.ts";
import {
  COLON,
  CR,
  decodeLatin1,
  HTAB,
  isFieldOctet,
  isTokenOctet,
  LF,
  SP,
} from "./octets.ts";
import type { HeaderList } from "./types.ts";

/** Bounds of one head (or trailer section), in octets and fields. */
export interface HeadLimits {
  readonly maxHeadBytes: number;
  readonly maxHeaderCount: number;
}

/** A response head, with what its fields say about the message's framing and the connection. */
export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly headers: HeaderList;
  /** Content-Length in octets, null without one; never together with `chunked`. */
  readonly contentLength: number | null;
  readonly chunked: boolean;
  /** Whether the connection persists after this message (RFC 9112 section 9.3). */
  readonly keepAlive: boolean;
}

/**
 * The index behind the empty line that ends a head, -1 where it is not there yet; `searched` octets were looked
 * at before. Throws `UpstreamError` on a bare LF: RFC 9112 section 2.2 would let us take one, but where two
 * parsers may differ about the end of a head there is room for a second message.
 */
export function findHeadEnd(octets: Uint8Array, searched: number): number {
  for (
    let lf = octets.indexOf(LF, searched);
    lf >= 0;
    lf = octets.indexOf(LF, lf + 1)
  ) {
    if (octets[lf - 1] !== CR) {
      throw protocolError("bare LF in a response head");
    }
    if (lf === 1 || octets[lf - 2] === LF) return lf + 1;
  }
  return -1;
}

/**
 * Parses one whole head, its empty line included (RFC 9112 sections 4 and 5), without any of the leniency that
 * the RFC permits. Throws `UpstreamError` "protocol_error".
 */
export function parseResponseHead(
  octets: Uint8Array,
  limits: HeadLimits,
): ResponseHead {
  const text = decodeLatin1(octets);
  const statusLine =
    /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?\r\n/.exec(
      text,
    );
  if (statusLine === null) throw protocolError("invalid status line");
  const [line, minor, status, reason = ""] = statusLine;

  const headers: [string, string][] = [];
  let contentLength: number | null = null;
  let chunked = false;
  let connection = "";
  let at = line.length;
  while (octets[at] !== CR) {
    if (headers.length === limits.maxHeaderCount) {
      throw protocolError("too many fields in a response head");
    }
    const nameStart = at;
    while (isTokenOctet(octets[at])) at++;
    // Also what a folded line (obs-fold) or a space before the colon comes to.
    if (at === nameStart || octets[at] !== COLON) {
      throw protocolError("invalid field name in a response head");
    }
    const name = text.slice(nameStart, at++);

    while (octets[at] === SP || octets[at] === HTAB) at++;
    const valueStart = at;
    while (isFieldOctet(octets[at])) at++;
    if (octets[at] !== CR || octets[at + 1] !== LF) {
      throw protocolError("control character in a field value");
    }
    let valueEnd = at;
    while (
      valueEnd > valueStart &&
      (octets[valueEnd - 1] === SP || octets[valueEnd - 1] === HTAB)
    ) valueEnd--;
    const value = text.slice(valueStart, valueEnd);
    at += 2;

    headers.push([name, value]);
    switch (
      name.length === 10 || name.length === 14 || name.length === 17
        ? name.toLowerCase()
        : ""
    ) {
      case "connection":
        connection += `,${value}`;
        break;
      case "content-length":
        if (contentLength !== null) {
          throw protocolError("two Content-Length fields");
        }
        contentLength = parseContentLength(value);
        break;
      case "transfer-encoding":
        if (chunked || value.toLowerCase() !== "chunked") {
          throw protocolError("unknown transfer coding");
        }
        if (minor === "0") throw protocolError("Transfer-Encoding in HTTP/1.0");
        chunked = true;
        break;
    }
  }
  if (at + 2 !== octets.length) {
    throw protocolError("bare CR in a response head");
  }
  if (chunked && contentLength !== null) {
    throw protocolError("Content-Length beside Transfer-Encoding");
  }
  return {
    status: Number(status),
    reason,
    headers,
    contentLength,
    chunked,
    keepAlive: persists(minor === "1", connection),
  };
}

function parseContentLength(value: string): number {
  const length = /^[0-9]+$/.test(value) ? Number(value) : NaN;
  if (!Number.isSafeInteger(length)) {
    throw protocolError("invalid Content-Length");
  }
  return length;
}

function persists(byDefault: boolean, connection: string): boolean {
  if (connection === "") return byDefault;
  const options = connection.toLowerCase().split(",").map((option) =>
    option.trim()
  );
  return !options.includes("close") &&
    (byDefault || options.includes("keep-alive"));
}
