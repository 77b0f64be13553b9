/** Bytes of HTTP/1.1: character classes (RFC 9110 sections 5.5 and 5.6.2) and Latin-1. */
import { Buffer } from "node:buffer";

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const COLON = 0x3a;

const TCHAR = 1;
const HEADER_VALUE = 2;

const CLASSES = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
  if (/[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(byte))) {
    CLASSES[byte] = TCHAR | HEADER_VALUE;
  } else if (byte === HTAB || (byte >= SP && byte !== 0x7f)) {
    CLASSES[byte] = HEADER_VALUE;
  }
}

/** True for a byte of a token; false for undefined, as read past the end of an array. */
export function isTokenByte(byte: number | undefined): boolean {
  return byte !== undefined && ((CLASSES[byte] ?? 0) & TCHAR) !== 0;
}

/** True for a byte of a header value: HTAB, SP, VCHAR and obs-text (RFC 9110 section 5.5). */
export function isHeaderValueByte(byte: number | undefined): boolean {
  return byte !== undefined && ((CLASSES[byte] ?? 0) & HEADER_VALUE) !== 0;
}

/** Bytes as a string of code points 0 to 255. Not by TextDecoder, whose "latin1" is windows-1252. */
export function decodeLatin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString("latin1");
}

const utf8 = new TextEncoder();

/** Writes a string of code points 0 to 255 to the start of `target`, which must have room for it. */
export function encodeLatin1(text: string, target: Uint8Array): void {
  // ASCII, the usual case, is the same in UTF-8, which is encoded natively at a fifth of the cost.
  const { read, written } = utf8.encodeInto(text, target);
  if (read === text.length && written === text.length) return;
  for (let index = 0; index < text.length; index++) {
    target[index] = text.charCodeAt(index);
  }
}
