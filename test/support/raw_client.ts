/** The client's side of HTTP/1.1 on a bare connection: a test decides on every octet sent and sees every one received. */
import { fromLatin1, toLatin1 } from "./latin1.ts";

/** A TCP connection, either end of it; texts are Latin-1. A peer that falls silent for 5 s fails what waits for it. */
export interface RawStream extends Disposable {
  write(data: string | Uint8Array): Promise<void>;
  /** The next octets up to and including `end`; throws {@linkcode Closed} where the peer closed before. */
  readUntil(end: string): Promise<string>;
  /** Exactly the next `count` octets; throws {@linkcode Closed} where the peer closed before. */
  read(count: number): Promise<string>;
  /** Everything until the peer closes or resets the connection. */
  readToEnd(): Promise<string>;
  /** Sends FIN: the peer sees the end, what it sends still arrives. */
  closeWrite(): Promise<void>;
  close(): void;
}

/** The peer closed in the middle of something. */
export class Closed extends Error {}

/** One field line: its name as received, its value without the blanks around it. */
export type Field = readonly [name: string, value: string];

/** One response as it was on the wire. */
export interface RawResponse {
  readonly status: number;
  readonly statusLine: string;
  readonly fields: readonly Field[];
  /** The content, decoded where it was chunked. */
  readonly body: string;
  /** Whether the message was as long as its framing says: a broken transfer is not. */
  readonly isComplete: boolean;
}

/** How long a test waits for a peer that says nothing, ms: far longer than anything takes, so it is a failure. */
const SILENCE_MS = 5_000;

/** Takes a connection over. */
export function rawStream(conn: Deno.TcpConn): RawStream {
  const buffer = new Uint8Array(64 * 1024);
  let pending = "";
  let isOpen = true;

  /** More octets into `pending`; false at the end, however it came. */
  async function fill(): Promise<boolean> {
    const timer = setTimeout(close, SILENCE_MS);
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
        if (!await fill()) throw new Closed(`closed ${count} octets before`);
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

/** The values of all fields of a name, given in lower case. */
export function valuesOf(fields: readonly Field[], name: string): string[] {
  return fields
    .filter(([key]) => key.toLowerCase() === name)
    .map(([, value]) => value);
}

/** The lines of a head, the first apart from the fields. */
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

/** Whether a body follows a head, and how it is framed (RFC 9112 section 6.3). */
export type Framing = number | "chunked" | "until-close";

/** Reads one response to `method`; a transfer that broke off is told by `isComplete`. */
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

/** What the fields say about the framing, or what goes without any. */
export function framingOf(
  fields: readonly Field[],
  otherwise: Framing,
): Framing {
  if (valuesOf(fields, "transfer-encoding").length > 0) return "chunked";
  const [length] = valuesOf(fields, "content-length");
  return length === undefined ? otherwise : Number(length);
}

/** Reads a body, as far as it comes. */
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

/** The chunks of a chunked body one by one; throws on anything but bare chunks without trailers (RFC 9112 section 7.1). */
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
