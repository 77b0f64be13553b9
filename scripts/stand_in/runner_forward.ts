/** The proxy of the fake runner: forwards requests to a port of this machine, byte for byte. */
import {
  type ClientRequest,
  type IncomingMessage,
  request as sendRequest,
  type ServerResponse,
} from "node:http";
import { type Duplex, pipeline } from "node:stream";

/** Header lines in order, with their original case. */
export type HeaderLines = readonly (readonly [name: string, value: string])[];

/** An app in a sandbox. */
export interface LocalTarget {
  /** Where it listens on 127.0.0.1. */
  readonly localPort: number;
  /** Its port in the sandbox, which its Host field names. */
  readonly port: number;
  /** The request-target that it receives. */
  readonly target: string;
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
  const outgoing = requestTo(target, message, ["connection", "keep-alive"]);
  outgoing.once("response", (answer) => {
    const headers = without(headerLines(answer), ["connection", "keep-alive"]);
    response.sendDate = false;
    response.writeHead(
      answer.statusCode ?? 502,
      answer.statusMessage,
      headers.flat(),
    );
    // The head of an event stream must not wait for the first event; but a head flushed on its own is sent as UTF-8.
    if (headers.every(([, value]) => isAscii(value))) response.flushHeaders();
    pipeline(answer, response, () => outgoing.destroy());
  });
  // Once there is a response, the client need not know that the app did not wait for its upload.
  outgoing.on("error", () => {
    if (response.headersSent) return;
    response.writeHead(502, { "Content-Length": "0" }).end();
  });
  response.once("close", () => outgoing.destroy());
  message.pipe(outgoing);
}

/** Forwards an Upgrade (RFC 9110 section 7.8): a 101 joins the two connections, any other response is relayed. */
export function tunnel(
  message: IncomingMessage,
  { socket, head }: UpgradeSocket,
  target: LocalTarget,
): void {
  const outgoing = requestTo(target, message, []);
  function abandon(): void {
    outgoing.destroy();
  }
  socket.once("close", abandon);
  socket.on("error", abandon);
  outgoing.once("upgrade", (answer, upstream, upstreamHead) => {
    // From here on, what the client has sent must reach the app, even if the client closes.
    socket.off("close", abandon);
    socket.write(statusLineAndHeaders(answer, headerLines(answer)), "latin1");
    socket.write(upstreamHead);
    upstream.write(head);
    pipeline(socket, upstream, () => {});
    pipeline(upstream, socket, () => {});
  });
  outgoing.once("response", (answer) => {
    const headers = without(headerLines(answer), HOP_BY_HOP);
    socket.write(
      statusLineAndHeaders(answer, [...headers, ["Connection", "close"]]),
      "latin1",
    );
    pipeline(answer, socket, () => {});
  });
  outgoing.on("error", () => {
    socket.end(
      "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
  });
  outgoing.end();
}

const HOP_BY_HOP = ["connection", "keep-alive", "transfer-encoding"];

function requestTo(
  { localPort, port, target }: LocalTarget,
  message: IncomingMessage,
  dropped: readonly string[],
): ClientRequest {
  const headers = without(headerLines(message), [
    ...dropped,
    "host",
    "x-daytona-authorization",
  ]);
  return sendRequest({
    host: "127.0.0.1",
    port: localPort,
    method: message.method,
    path: target,
    headers: ["Host", `localhost:${port}`, ...headers.flat()],
    setHost: false,
    setDefaultHeaders: false,
    // A new connection for each exchange: node:http in Deno retries a request that was lost on a reused one.
    agent: false,
    maxHeaderSize: 256 * 1024,
  });
}

function without(lines: HeaderLines, names: readonly string[]): HeaderLines {
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
