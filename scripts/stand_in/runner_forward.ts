/**
 * What the proxies of a runner and of a sandbox's daemon make of a request together: it reaches a port of this machine.
 * The proxy before them does the same to it, but for the header lines that it takes away and adds.
 * The real ones sort the header lines and capitalize their names; here they stay as they were sent, for tests to compare.
 */
import {
  type ClientRequest,
  type IncomingMessage,
  request as sendRequest,
  type ServerResponse,
} from "node:http";
import { type Duplex, pipeline } from "node:stream";
import { createGunzip } from "node:zlib";

/** Header lines in order, with their original case. */
export type HeaderLines = readonly (readonly [name: string, value: string])[];

/** An app in a sandbox, or its daemon. */
export interface LocalTarget {
  /** Where it listens on 127.0.0.1. */
  readonly localPort: number;
  /** What its Host names. */
  readonly authority: string;
  /** The request-target that it receives. */
  readonly target: string;
  /** The proxies on the way, each of which names who sent it the request: the runner, and for an app the daemon. */
  readonly proxies: 1 | 2;
  /** The header lines to pass on; by default those of the message, without the key of the runner. */
  readonly lines?: HeaderLines;
  /** Header lines that its response gets; none by default. */
  readonly added?: HeaderLines;
}

/** The connection of an upgrade request, and the bytes that have already followed the request. */
export interface UpgradeSocket {
  readonly socket: Duplex;
  readonly head: Uint8Array;
}

/** The header lines of a message. */
export function headerLines({ rawHeaders }: IncomingMessage): HeaderLines {
  return Array.from(
    { length: rawHeaders.length / 2 },
    (_, i) => [rawHeaders[2 * i] ?? "", rawHeaders[2 * i + 1] ?? ""],
  );
}

/** Forwards an exchange; if the app cannot be reached, responds with an empty 502. */
export function forward(
  message: IncomingMessage,
  response: ServerResponse,
  target: LocalTarget,
): void {
  const mayInflate = asksForGzip(message);
  const outgoing = requestTo(
    target,
    message,
    mayInflate ? [["Accept-Encoding", "gzip"]] : [],
  );
  outgoing.once("response", (answer) => {
    const isInflated = mayInflate && answer.statusCode !== 304 &&
      answer.headers["content-encoding"]?.toLowerCase() === "gzip";
    const headers = [
      ...without(
        endToEnd(headerLines(answer)),
        isInflated ? ["content-encoding", "content-length"] : [],
      ),
      ...target.added ?? [],
    ];
    const isChunked = isInflated || "transfer-encoding" in answer.headers;
    response.sendDate = false;
    response.writeHead(
      answer.statusCode ?? 502,
      answer.statusMessage,
      [...headers, ...isChunked ? [CHUNKED] : []].flat(),
    );
    const isEmpty = answer.headers["content-length"] === "0" ||
      answer.statusCode === 204 || answer.statusCode === 304;
    if (message.method === "HEAD" || isEmpty) {
      // Deno's node:http takes no further request of a connection if the head is flushed, and nothing follows it.
      answer.resume();
      response.end();
      return;
    }
    // The head of an event stream must not wait for the first event; but a head flushed on its own is sent as UTF-8.
    if (headers.every(([, value]) => isAscii(value))) response.flushHeaders();
    const onEnd = () => outgoing.destroy();
    if (isInflated) pipeline(answer, createGunzip(), response, onEnd);
    else pipeline(answer, response, onEnd);
  });
  // Once there is a response, the client need not know that the app did not wait for its upload.
  outgoing.on("error", () => {
    if (!response.headersSent) refuseEmpty(response);
  });
  response.once("close", () => outgoing.destroy());
  message.pipe(outgoing);
}

/** Answers as a proxy whose next hop cannot be reached: with a status and nothing else. */
export function refuseEmpty(response: ServerResponse): void {
  response.removeHeader("Connection"); // which node:http would add
  response.writeHead(502, { "Content-Length": "0" }).end();
}

/** As {@linkcode refuseEmpty}, to the connection of an upgrade request. */
export function refuseEmptyUpgrade(socket: Duplex): void {
  const date = new Date().toUTCString();
  socket.end(
    `HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nDate: ${date}\r\nConnection: close\r\n\r\n`,
  );
}

/** True if the proxies ask for compression by themselves, which they undo: the client has not said what it takes. */
function asksForGzip({ method, headers }: IncomingMessage): boolean {
  return method !== "HEAD" && headers["accept-encoding"] === undefined &&
    headers.range === undefined;
}

/** Forwards an Upgrade (RFC 9110 section 7.8): a 101 joins the two connections, any other response is relayed. */
export function tunnel(
  message: IncomingMessage,
  { socket, head }: UpgradeSocket,
  target: LocalTarget,
): void {
  const outgoing = requestTo(target, message, [
    ["Connection", "Upgrade"],
    ["Upgrade", message.headers.upgrade ?? ""],
  ]);
  function abandon(): void {
    outgoing.destroy();
  }
  socket.once("close", abandon);
  socket.on("error", abandon);
  outgoing.once("upgrade", (answer, upstream, upstreamHead) => {
    // From here on, what the client has sent must reach the app, even if the client closes.
    socket.off("close", abandon);
    const headers = [...headerLines(answer), ...target.added ?? []];
    socket.write(statusLineAndHeaders(answer, headers), "latin1");
    socket.write(upstreamHead);
    upstream.write(head);
    pipeline(socket, upstream, () => {});
    pipeline(upstream, socket, () => {});
  });
  outgoing.once("response", (answer) => {
    const headers = [...endToEnd(headerLines(answer)), ...target.added ?? []];
    socket.write(
      statusLineAndHeaders(answer, [...headers, ["Connection", "close"]]),
      "latin1",
    );
    pipeline(answer, socket, () => {});
  });
  outgoing.on("error", () => refuseEmptyUpgrade(socket));
  outgoing.end();
}

/** The header lines that concern one connection (RFC 9110 section 7.6.1), besides those that Connection names. */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

const CHUNKED = ["Transfer-Encoding", "chunked"] as const;

function requestTo(
  { localPort, authority, target, proxies, lines: own }: LocalTarget,
  message: IncomingMessage,
  added: HeaderLines,
): ClientRequest {
  const lines = own ??
    without(headerLines(message), ["x-daytona-authorization"]);
  const headers = without(endToEnd(lines), ["host", FORWARDED_FOR]);
  const forwardedFor = [
    ...valuesOf(lines, FORWARDED_FOR),
    message.socket.remoteAddress,
    ...proxies > 1 ? ["127.0.0.1"] : [],
  ].join(", ");
  const framing = "transfer-encoding" in message.headers ? [CHUNKED] : [];
  return sendRequest({
    host: "127.0.0.1",
    port: localPort,
    method: message.method,
    path: target,
    headers: [
      ["Host", authority],
      ...headers,
      ["X-Forwarded-For", forwardedFor],
      ...added,
      ...framing,
    ].flat(),
    setHost: false,
    setDefaultHeaders: false,
    // A new connection for each exchange: node:http in Deno retries a request that was lost on a reused one.
    agent: false,
    maxHeaderSize: 256 * 1024,
  });
}

const FORWARDED_FOR = "x-forwarded-for";

/** The values of the lines with a name, given in lower case. */
export function valuesOf(lines: HeaderLines, wanted: string): string[] {
  return lines.filter(([name]) => name.toLowerCase() === wanted)
    .map(([, value]) => value);
}

/** The header lines that a proxy passes on. */
function endToEnd(lines: HeaderLines): HeaderLines {
  const named = valuesOf(lines, "connection").flatMap((value) =>
    value.split(",").map((name) => name.trim().toLowerCase())
  );
  return without(lines, [...HOP_BY_HOP, ...named]);
}

/** The lines whose names are not among these, given in lower case. */
export function without(
  lines: HeaderLines,
  names: readonly string[],
): HeaderLines {
  return lines.filter(([name]) => !names.includes(name.toLowerCase()));
}

function statusLineAndHeaders(
  { statusCode, statusMessage }: IncomingMessage,
  headers: HeaderLines,
): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join("")}\r\n`;
}

function isAscii(text: string): boolean {
  return !/[\x80-\xff]/.test(text);
}
