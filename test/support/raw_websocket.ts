/** The client's side of a WebSocket on a raw connection: a test sends any frame, whether it is allowed or not. */
import { writeAll } from "./dial.ts";
import { toLatin1 } from "./latin1.ts";
import { rawStream } from "./raw_client.ts";
import { serverFrame, utf8 } from "./wire_frames.ts";

/** Masks a frame of a server with a key of zeros (RFC 6455 section 5.3), which leaves the payload as it is. */
export function clientFrame(
  opcode: number,
  payload: string | Uint8Array = "",
  options: { final?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  const frame = serverFrame(opcode, payload, options);
  const { length } = typeof payload === "string" ? utf8(payload) : payload;
  const headEnd = frame.length - length;
  const masked = new Uint8Array(frame.length + 4);
  masked.set(frame.subarray(0, headEnd));
  masked[1] = (masked[1] ?? 0) | 0x80;
  masked.set(frame.subarray(headEnd), headEnd + 4);
  return masked;
}

/** The head of an opening handshake. */
export function handshakeOf(
  host: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): string {
  const lines = Object.entries({
    Host: host,
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/** Opens a WebSocket on a connection, byte by byte of the response's head, so that no frame is lost; returns its status. */
export async function openWebSocket(
  conn: Deno.Conn,
  handshake: string,
): Promise<number> {
  await writeAll(conn, utf8(handshake));
  const byte = new Uint8Array(1);
  let head = "";
  while (!head.endsWith("\r\n\r\n")) {
    if (await conn.read(byte) === null) throw new Error("No response");
    head += toLatin1(byte);
  }
  return Number(head.split(" ")[1]);
}

/** A WebSocket of short messages, one at a time. */
export class EchoSocket implements Disposable {
  readonly #stream: ReturnType<typeof rawStream>;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(stream: ReturnType<typeof rawStream>) {
    this.#stream = stream;
  }

  /** Opens one, whose reads fail after `silenceMs` ms without a byte; resolves to the status if that is not 101. */
  static async open(
    conn: Deno.TcpConn | Deno.TlsConn,
    handshake: string,
    silenceMs?: number,
  ): Promise<EchoSocket | number> {
    const stream = rawStream(conn, silenceMs);
    try {
      await stream.write(handshake);
      const head = await stream.readUntil("\r\n\r\n");
      const status = Number(head.split(" ")[1]);
      if (status === 101) return new EchoSocket(stream);
      stream.close();
      return status;
    } catch (error) {
      stream.close();
      throw error;
    }
  }

  /**
   * Sends a text of at most 125 characters, whether or not earlier ones have come back; resolves to the next text that
   * does, or to `closed CODE`.
   */
  async echo(text: string): Promise<string> {
    const earlier = this.#last.catch(() => {});
    const sent = this.#stream.write(clientFrame(1, text));
    const next = Promise.all([earlier, sent]).then(() => this.#next());
    this.#last = next;
    return await next;
  }

  async #next(): Promise<string> {
    for (;;) {
      const [first = "", second = ""] = await this.#stream.read(2);
      const opcode = first.charCodeAt(0) & 0x0f;
      const payload = await this.#stream.read(second.charCodeAt(0) & 0x7f);
      if (opcode === 1) return payload;
      if (opcode === 8) {
        return `closed ${payload.charCodeAt(0) * 256 + payload.charCodeAt(1)}`;
      }
      if (opcode === 9) await this.#stream.write(clientFrame(10, payload));
    }
  }

  [Symbol.dispose](): void {
    this.#stream.close();
  }
}
