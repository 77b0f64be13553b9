/** A minimal WebSocket client (RFC 6455) that uses little of the processor for load. */
import { HOSTS } from "../contestants.ts";
import { connect, headOf, send } from "./raw_http.ts";

/** An open WebSocket to an echo server. */
export interface EchoClient extends Disposable {
  /** Sends a message and waits until the same number of bytes has come back. */
  echo(): Promise<void>;
}

const HANDSHAKE = headOf({
  host: HOSTS.public,
  target: "/echo",
  keepAlive: true,
  headers: {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  },
});

/**
 * Opens a WebSocket whose messages are `size` bytes long.
 *
 * @throws {Error} if the server does not switch protocols.
 */
export async function openEcho(
  port: number,
  size: number,
): Promise<EchoClient> {
  const conn = await connect(port);
  try {
    await send(conn, HANDSHAKE);
    await readHead(conn);
  } catch (error) {
    conn.close();
    throw error;
  }
  const message = maskedFrame(size);
  const replyLength = message.length - MASK_BYTES;
  const buffer = new Uint8Array(Math.min(replyLength, 64 * 1024));
  return {
    async echo() {
      await send(conn, message);
      for (let left = replyLength; left > 0;) {
        const count = await conn.read(
          buffer.subarray(0, Math.min(left, buffer.length)),
        );
        if (count === null) throw new Error("The tunnel was closed");
        left -= count;
      }
    },
    [Symbol.dispose]: () => conn.close(),
  };
}

/** Reads the response head; nothing can follow it before the client has sent a message. */
async function readHead(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(4096);
  const decoder = new TextDecoder();
  let head = "";
  while (!head.endsWith("\r\n\r\n")) {
    const count = await conn.read(buffer);
    if (count === null) break;
    head += decoder.decode(buffer.subarray(0, count));
  }
  if (!head.startsWith("HTTP/1.1 101 ")) {
    throw new Error(`No WebSocket: ${head.split("\r\n")[0]}`);
  }
}

const BINARY_FINAL = 0x82;
const MASKED = 0x80;
const MASK_BYTES = 4;

/** A binary message of zeros in one frame (RFC 6455 section 5.2), masked with zeros, which changes nothing. */
export function maskedFrame(size: number): Uint8Array<ArrayBuffer> {
  const lengthBytes = size < 126 ? 0 : size < 0x10000 ? 2 : 8;
  const frame = new Uint8Array(2 + lengthBytes + MASK_BYTES + size);
  const view = new DataView(frame.buffer);
  view.setUint8(0, BINARY_FINAL);
  view.setUint8(
    1,
    MASKED | (lengthBytes === 0 ? size : lengthBytes === 2 ? 126 : 127),
  );
  if (lengthBytes === 2) view.setUint16(2, size);
  if (lengthBytes === 8) view.setBigUint64(2, BigInt(size));
  return frame;
}
