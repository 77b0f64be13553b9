/** A minimal HTTP/1.1 client that uses little of the processor for load. */

/** A GET, or a POST of `upload` bytes. */
export interface RawRequest {
  readonly host: string;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Leaves the connection open for more requests. */
  readonly keepAlive?: boolean;
  /** The length of the body, bytes; undefined for a GET. */
  readonly upload?: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The bytes of a request's head. */
export function headOf(request: RawRequest): Uint8Array<ArrayBuffer> {
  const { host, target, headers = {}, keepAlive = false, upload } = request;
  const lines = [
    `${upload === undefined ? "GET" : "POST"} ${target} HTTP/1.1`,
    `Host: ${host}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...keepAlive ? [] : ["Connection: close"],
    ...upload === undefined ? [] : [`Content-Length: ${upload}`],
  ];
  return encoder.encode(`${lines.join("\r\n")}\r\n\r\n`);
}

/** Connects to a port of 127.0.0.1. */
export function connect(port: number): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

/** Sends all of `bytes`. */
export async function send(
  conn: Deno.Conn,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  for (let sent = 0; sent < bytes.length;) {
    sent += await conn.write(bytes.subarray(sent));
  }
}

/** A summary of the bytes received until the peer closed. */
export interface Received {
  readonly bytes: number;
  /** The beginning, up to 4 KiB, as text. */
  readonly start: string;
  /** The end, up to 64 bytes, as text. */
  readonly end: string;
}

const READ_BYTES = 256 * 1024;
const START_BYTES = 4096;
const END_BYTES = 64;

/** Reads until the peer closes. */
export async function receive(conn: Deno.Conn): Promise<Received> {
  const buffer = new Uint8Array(READ_BYTES);
  let bytes = 0;
  let start = "";
  let end = "";
  for (
    let count = await conn.read(buffer);
    count !== null;
    count = await conn.read(buffer)
  ) {
    bytes += count;
    if (start.length < START_BYTES) {
      start += decoder.decode(buffer.subarray(0, Math.min(count, START_BYTES)));
    }
    end = (end + decoder.decode(
      buffer.subarray(Math.max(0, count - END_BYTES), count),
    )).slice(-END_BYTES);
  }
  return { bytes, start, end };
}

/** Makes one exchange on a new connection, and returns the beginning of the response. */
export async function exchange(
  port: number,
  request: RawRequest,
): Promise<string> {
  using conn = await connect(port);
  await send(conn, headOf(request));
  return (await receive(conn)).start;
}
