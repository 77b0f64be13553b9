/** The own answers of the fake runner and of the hosted proxy, as opposed to those of the apps behind them. */
import {
  type IncomingMessage,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import type { Duplex } from "node:stream";
import { Buffer } from "node:buffer";
import type { HeaderLines } from "./runner_forward.ts";

/** An answer of the fake itself. */
export interface OwnAnswer {
  readonly status: number;
  /** JSON, unless the headers tell otherwise; empty if there is none. */
  readonly body: string;
  /** By default its media type, and always its length. */
  readonly headers?: HeaderLines;
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
  own: OwnAnswer,
): void {
  response.writeHead(own.status, headersOf(own).flat()).end(own.body);
}

/** Sends an answer to the connection of an upgrade request, and ends it. */
export function sendOwnToSocket(
  socket: Duplex,
  own: OwnAnswer,
): void {
  const { status, body } = own;
  const headers = [...headersOf(own), ["Connection", "close"]];
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${
      lines.join("")
    }\r\n${body}`,
  );
}

function headersOf(
  { body, headers = body === "" ? [] : [JSON_TYPE] }: OwnAnswer,
): HeaderLines {
  return [["Content-Length", String(Buffer.byteLength(body))], ...headers];
}

/** The header line of JSON. */
export const JSON_TYPE = ["Content-Type", "application/json"] as const;
