/** The fake runner's own answers, as opposed to those of the apps behind it. */
import {
  type IncomingMessage,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import type { Duplex } from "node:stream";
import { Buffer } from "node:buffer";

/** An answer of the runner itself. */
export interface OwnAnswer {
  readonly status: number;
  /** JSON; empty if there is none. */
  readonly body: string;
}

const CODES: Readonly<Record<number, string>> = {
  400: "BAD_REQUEST",
  401: "UNAUTHORIZED",
  404: "NOT_FOUND",
};

/** An error, in the words and the properties of the real one. */
export function refusal(
  { method, url = "" }: IncomingMessage,
  statusCode: number,
  message: string,
): OwnAnswer {
  const body = JSON.stringify({
    statusCode,
    message,
    code: CODES[statusCode],
    timestamp: new Date().toISOString(),
    path: decoded(url.replace(/\?.*$/s, "")),
    method,
  });
  return { status: statusCode, body };
}

/** The path as the real one reads it; as it is if it cannot be decoded. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Sends an answer. */
export function sendOwn(
  response: ServerResponse,
  { status, body }: OwnAnswer,
): void {
  response.writeHead(status, headersOf(body)).end(body);
}

/** Sends an answer to the connection of an upgrade request, and ends it. */
export function sendOwnToSocket(
  socket: Duplex,
  { status, body }: OwnAnswer,
): void {
  const headers = { ...headersOf(body), Connection: "close" };
  const lines = Object.entries(headers).map(([name, value]) =>
    `${name}: ${value}\r\n`
  );
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${
      lines.join("")
    }\r\n${body}`,
  );
}

function headersOf(body: string): Record<string, string> {
  return {
    "Content-Length": String(Buffer.byteLength(body)),
    ...body !== "" && { "Content-Type": "application/json" },
  };
}
