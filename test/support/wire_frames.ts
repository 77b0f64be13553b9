/** The server's side of RFC 6455, written independently of src/ to check it: accepts, encodes and decodes frames. */

import { createHash } from "node:crypto";
import type { UpgradedConnection } from "../../src/upstream/http1/upgraded_connection.ts";

/** Sec-WebSocket-Accept for a key (RFC 6455 section 4.2.2). */
export function acceptOf(key: string): string {
  return createHash("sha1")
    .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}

/** The head of a 101 that completes the handshake with this key. */
export function switchingProtocols(key: string): string {
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" +
    `Connection: Upgrade\r\nSec-WebSocket-Accept: ${acceptOf(key)}\r\n\r\n`;
}

/** One frame, as on the wire. */
export interface WireFrame {
  readonly opcode: number;
  readonly payload: Uint8Array;
  readonly final: boolean;
}

const encoder = new TextEncoder();

/** The UTF-8 bytes of a string. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** Concatenates `parts`. */
export function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

/** `unit`, `count` times. */
export function repeat(
  unit: Uint8Array,
  count: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(count * unit.length);
  for (let at = 0; at < bytes.length; at += unit.length) bytes.set(unit, at);
  return bytes;
}

/** One unmasked frame with the shortest length encoding. */
export function serverFrame(
  opcode: number,
  payload: string | Uint8Array = "",
  options: { final?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  const data = typeof payload === "string" ? utf8(payload) : payload;
  const first = (options.final ?? true ? 0x80 : 0) | opcode;
  const { length } = data;
  const head = length < 126
    ? [first, length]
    : length < 65536
    ? [first, 126, length >> 8, length & 255]
    : [first, 127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((n) => length >> n & 255)];
  const frame = new Uint8Array(head.length + length);
  frame.set(head);
  frame.set(data, head.length);
  return frame;
}

/** A Close frame with a code and a reason. */
export function serverClose(
  code: number,
  reason = "",
): Uint8Array<ArrayBuffer> {
  return serverFrame(
    8,
    concat(new Uint8Array([code >> 8, code & 255]), utf8(reason)),
  );
}

/** Unmasks a client's frames; throws if one is unmasked, incomplete, or longer than it declares. */
export function clientFrames(bytes: Uint8Array): WireFrame[] {
  const frames: WireFrame[] = [];
  let at = 0;
  const byte = (): number => {
    const value = bytes[at++];
    if (value === undefined) throw new Error("Frame is cut");
    return value;
  };
  while (at < bytes.length) {
    const first = byte();
    const second = byte();
    if ((second & 0x80) === 0) throw new Error("Frame is not masked");
    let length = second & 0x7f;
    const extended = length === 126 ? 2 : length === 127 ? 8 : 0;
    if (extended > 0) length = 0;
    for (let i = 0; i < extended; i++) length = length * 256 + byte();
    const key = [byte(), byte(), byte(), byte()];
    const payload = bytes.slice(at, at + length);
    if (payload.length < length) throw new Error("Frame is cut");
    at += length;
    frames.push({
      opcode: first & 0x0f,
      final: (first & 0x80) !== 0,
      payload: payload.map((value, i) => value ^ (key[i % 4] ?? 0)),
    });
  }
  return frames;
}

/** An upgraded connection in memory. */
export interface FakeConnection extends UpgradedConnection {
  /** Makes `bytes` readable; null is the end of the stream. */
  feed(bytes: Uint8Array<ArrayBuffer> | null): void;
  /** Holds back writes until `resume()`. */
  pause(): void;
  resume(): void;
  /** All bytes written so far. */
  readonly written: Uint8Array<ArrayBuffer>;
  /** The number of calls to `write()` that have completed. */
  readonly writes: number;
  /** The number of calls to `read()`. */
  readonly reads: number;
  readonly isClosed: boolean;
}

/** A connection whose reads return what was fed, in one reused buffer, as `UpgradedConnection` allows. */
export function fakeConnection(): FakeConnection {
  const fed: Array<Uint8Array<ArrayBuffer> | null> = [];
  const written: Uint8Array[] = [];
  const memory = new Uint8Array(1 << 20);
  let reads = 0;
  let isClosed = false;
  let wakeReader = () => {};
  let gate = Promise.withResolvers<void>();
  gate.resolve();

  function failIfClosed(): void {
    if (isClosed) throw new Error("Connection is closed");
  }

  return {
    async read() {
      reads++;
      while (fed.length === 0 && !isClosed) {
        await new Promise<void>((resolve) => wakeReader = resolve);
      }
      failIfClosed();
      const bytes = fed.shift() ?? null;
      if (bytes === null) return null;
      memory.fill(0xee);
      memory.set(bytes);
      return memory.subarray(0, bytes.length);
    },
    async write(bytes) {
      failIfClosed();
      await gate.promise;
      failIfClosed();
      written.push(bytes.slice());
    },
    close() {
      isClosed = true;
      wakeReader();
      gate.resolve();
    },
    feed(bytes) {
      fed.push(bytes);
      wakeReader();
    },
    pause() {
      gate = Promise.withResolvers();
    },
    resume() {
      gate.resolve();
    },
    get written() {
      return concat(...written);
    },
    get writes() {
      return written.length;
    },
    get reads() {
      return reads;
    },
    get isClosed() {
      return isClosed;
    },
  };
}
