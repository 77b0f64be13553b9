/** Octets of HTTP/1.1: character classes (RFC 9110 sections 5.5 and 5.6.2) and Latin-1. */
import { Buffer } from "node:buffer";

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const COLON = 0x3a;

const TCHAR = 1;
const FIELD_CONTENT = 2;

const CLASSES = new Uint8Array(256);
for (let octet = 0; octet < 256; octet++) {
  if (/[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(octet))) {
    CLASSES[octet] = TCHAR | FIELD_CONTENT;
  } else if (octet === HTAB || (octet >= SP && octet !== 0x7f)) {
    CLASSES[octet] = FIELD_CONTENT;
  }
}

/** Whether an octet may be part of a token; false for undefined, as read past the end of an array. */
export function isTokenByte(octet: number | undefined): boolean {
  return octet !== undefined && ((CLASSES[octet] ?? 0) & TCHAR) !== 0;
}

/** Whether an octet may be part of a field value: HTAB, SP, VCHAR and obs-text. */
export function isHeaderValueByte(octet: number | undefined): boolean {
  return octet !== undefined && ((CLASSES[octet] ?? 0) & FIELD_CONTENT) !== 0;
}

/** Octets as a string of code points 0 to 255. Not by TextDecoder, whose "latin1" is windows-1252. */
export function decodeLatin1(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength)
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
