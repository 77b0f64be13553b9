/** One request to a preview host, taken apart once: what every decision about it looks at. */
import type { PreviewHost } from "../address/preview_host.ts";

/** The request as plain data, and the Request itself for whoever carries the decision out. */
export interface Exchange {
  readonly id: string;
  readonly request: Request;
  readonly method: string;
  readonly headers: Headers;
  readonly host: PreviewHost;
  /** `host[:port]` as received. */
  readonly authority: string;
  /** The request-target, byte for byte. */
  readonly target: string;
  /** The address at the other end of the connection. */
  readonly peer: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** The body to forward and its announced length (RFC 9112 section 6). */
export interface RequestBody {
  readonly body: ReadableStream<Uint8Array> | null;
  /** Octets; null where not announced. */
  readonly contentLength: number | null;
}

/**
 * What body a request has. `Request.body` is a stream for a bodiless POST too, so the framing fields decide; over
 * HTTP/2, which frames by itself, the stream is all there is.
 */
export function requestBody(request: Request, headers: Headers): RequestBody {
  const length = headers.get("content-length");
  if (request.body === null) return { body: null, contentLength: null };
  if (length !== null) {
    const contentLength = Number(length);
    return { body: contentLength === 0 ? null : request.body, contentLength };
  }
  const isHttp2 = !headers.has("host");
  const hasBody = headers.has("transfer-encoding") || isHttp2;
  return { body: hasBody ? request.body : null, contentLength: null };
}

/** Whether a request asks for a WebSocket (RFC 6455 section 4.1); any other upgrade is an ordinary request. */
export function isWebSocketRequest(method: string, headers: Headers): boolean {
  return method === "GET" &&
    /^websocket$/i.test(headers.get("upgrade") ?? "") &&
    /(?:^|,)\s*upgrade\s*(?:,|$)/i.test(headers.get("connection") ?? "");
}
