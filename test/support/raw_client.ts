/** A raw HTTP/1.1 client: a test controls every byte sent, and sees every byte received. */
// Not the global ones, which a fake clock replaces.
import { clearTimeout, setTimeout } from "node:timers";
import { fromLatin1, toLatin1 } from "./latin1.ts";

/** Either end of a TCP connection; text is Latin-1. Reads fail if the peer sends nothing for a while. */
export interface RawStream extends Disposable {
  write(data: string | Uint8Array): Promise<void>;
  /**
   * Reads up to and including `end`.
   *
   * @throws {Closed} if the peer closes before that.
   */
  readUntil(end: string): Promise<string>;
  /**
   * Reads exactly `count` bytes.
   *
   * @throws {Closed} if the peer closes before that.
   */
  read(count: number): Promise<string>;
  /** Reads until the peer closes or resets the connection. */
  readToEnd(): Promise<string>;
  /** Sends FIN: the peer sees the end of the stream, but can still send. */
  closeWrite(): Promise<void>;
  close(): void;
}

/** The peer closed the connection in the middle of a message. */
export class Closed extends Error {}

/** A field line: its name as received, its value without surrounding whitespace. */
export type Field = readonly [name: string, value: string];

/** A response as it was on the wire. */
export interface RawResponse {
  readonly status: number;
  readonly statusLine: string;
  readonly fields: readonly Field[];
  /** The content, decoded if it was chunked. */
  readonly body: string;
  /** True if the message is complete according to its framing; false if the transfer broke off. */
  readonly isComplete: boolean;
}

/** The wait for a silent peer, ms: far longer than anything takes, so it is a failure. */
const SILENCE_MS = 5_000;

/** Wraps a connection, which it takes over; reads fail after `silenceMs` ms without a byte. */
export function rawStream(
  conn: Deno.TcpConn | Deno.TlsConn,
  silenceMs: number = SILENCE_MS,
): RawStream {
  const buffer = new Uint8Array(64 * 1024);
  let pending = "";
  let isOpen = true;

  /** Reads more bytes into `pending`; returns false at the end of the stream, including a reset. */
  async function fill(): Promise<boolean> {
    const timer = setTimeout(close, silenceMs);
    try {
      const count = await conn.read(buffer);
      if (count !== null) pending += toLatin1(buffer.subarray(0, count));
      return count !== null;
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionReset) return false;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  function take(count: number): string {
    const text = pending.slice(0, count);
    pending = pending.slice(count);
    return text;
  }

  function close(): void {
    if (isOpen) conn.close();
    isOpen = false;
  }

  return {
    async write(data) {
      let rest = typeof data === "string" ? fromLatin1(data) : data;
      while (rest.length > 0) rest = rest.subarray(await conn.write(rest));
    },
    async readUntil(end) {
      while (!pending.includes(end)) {
        if (!await fill()) {
          throw new Closed(`closed before '${end}', after '${pending}'`);
        }
      }
      return take(pending.indexOf(end) + end.length);
    },
    async read(count) {
      while (pending.length < count) {
        if (!await fill()) {
          throw new Closed(`closed before ${count} bytes`);
        }
      }
      return take(count);
    },
    async readToEnd() {
      while (await fill());
      return take(pending.length);
    },
    closeWrite: () => conn.closeWrite(),
    close,
    [Symbol.dispose]: close,
  };
}

/** Sends a request on a connection, and returns everything received until the peer closes it. */
export async function exchangeRaw(
  conn: Deno.TcpConn,
  request: string,
): Promise<string> {
  using stream = rawStream(conn);
  await stream.write(request);
  return await stream.readToEnd();
}

/** The values of all fields with a name, given in lower case. */
export function valuesOf(fields: readonly Field[], name: string): string[] {
  return fields
    .filter(([key]) => key.toLowerCase() === name)
    .map(([, value]) => value);
}

/** Splits a head into its first line and its fields. */
export function parseHead(
  head: string,
): { line: string; fields: readonly Field[] } {
  const [line = "", ...lines] = head.trimEnd().split("\r\n");
  const fields = lines.map((text): Field => {
    const colon = text.indexOf(":");
    return [text.slice(0, colon), text.slice(colon + 1).trim()];
  });
  return { line, fields };
}

/** The framing of a body (RFC 9112 section 6.3): its length, chunked, or until the connection closes. */
export type Framing = number | "chunked" | "until-close";

/** Reads the response to a request with `method`; if the transfer breaks off, `isComplete` is false. */
export async function readResponse(
  stream: RawStream,
  method = "GET",
): Promise<RawResponse> {
  const { line, fields } = parseHead(await stream.readUntil("\r\n\r\n"));
  const status = Number(line.split(" ")[1]);
  const isBodiless = method === "HEAD" || status < 200 || status === 204 ||
    status === 304;
  const framing = isBodiless ? 0 : framingOf(fields, "until-close");
  const { body, isComplete } = await readBody(stream, framing);
  return { status, statusLine: line, fields, body, isComplete };
}

/** The framing according to the fields, or `otherwise` if they do not specify any. */
export function framingOf(
  fields: readonly Field[],
  otherwise: Framing,
): Framing {
  if (valuesOf(fields, "transfer-encoding").length > 0) return "chunked";
  const [length] = valuesOf(fields, "content-length");
  return length === undefined ? otherwise : Number(length);
}

/** Reads a body as far as it arrives. */
export async function readBody(
  stream: RawStream,
  framing: Framing,
): Promise<{ body: string; isComplete: boolean }> {
  let body = "";
  try {
    for await (const part of partsOf(stream, framing)) body += part;
    return { body, isComplete: true };
  } catch (error) {
    if (!(error instanceof Closed)) throw error;
    return { body: body + await stream.readToEnd(), isComplete: false };
  }
}

async function* partsOf(
  stream: RawStream,
  framing: Framing,
): AsyncGenerator<string> {
  if (framing === "until-close") yield await stream.readToEnd();
  else if (framing === "chunked") yield* chunks(stream);
  else yield await stream.read(framing);
}

/**
 * The chunks of a chunked body (RFC 9112 section 7.1).
 *
 * @throws {Error} if there are chunk extensions or trailers, or the syntax is invalid.
 */
export async function* chunks(stream: RawStream): AsyncGenerator<string> {
  for (let size = -1; size !== 0;) {
    const line = await stream.readUntil("\r\n");
    if (!/^[0-9a-f]+\r\n$/i.test(line)) throw new Error(`chunk '${line}'`);
    size = parseInt(line, 16);
    if (size > 0) yield await stream.read(size);
    const end = await stream.read(2);
    if (end !== "\r\n") throw new Error(`chunk ends in '${end}'`);
  }
}
