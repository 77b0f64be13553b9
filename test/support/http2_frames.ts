/** HTTP/2 frames of a client (RFC 9113), written by hand: a test sends what no library would. */
import { concat, utf8 } from "./wire_frames.ts";

/** Types of frames (RFC 9113 section 6). */
export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** The flag that ends a header block. */
export const END_HEADERS = 4;

/** The flag that ends a stream. */
export const END_STREAM = 1;

/** What a client sends first: the preface, and empty settings. */
export const PREFACE: Uint8Array = concat(
  utf8("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  frame(FRAME.settings),
);

/** One frame. */
export function frame(
  type: number,
  payload: Uint8Array = new Uint8Array(),
  { flags = 0, stream = 0 }: { flags?: number; stream?: number } = {},
): Uint8Array<ArrayBuffer> {
  const { length } = payload;
  const bytes = new Uint8Array(9 + length);
  bytes.set([length >> 16, length >> 8 & 255, length & 255, type, flags]);
  new DataView(bytes.buffer).setUint32(5, stream);
  bytes.set(payload, 9);
  return bytes;
}

/** A 32-bit number. */
export function uint32(value: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** A header block of literals that are not indexed (RFC 7541 section 6.2.2), each at most 126 bytes long. */
export function headerBlock(
  headers: readonly (readonly [name: string, value: string])[],
): Uint8Array<ArrayBuffer> {
  return concat(...headers.map(([name, value]) =>
    concat(
      new Uint8Array([0, name.length]),
      utf8(name),
      new Uint8Array([value.length]),
      utf8(value),
    )
  ));
}
