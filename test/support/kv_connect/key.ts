/** Keys of Deno KV in their order-preserving encoding; only tuples of strings are supported. */

const STRING = 0x02;
const END = 0x00;

/** Follows a zero byte that is part of the string. */
const ESCAPE = 0xff;

/**
 * Decodes the parts of a key.
 *
 * @throws {TypeError} if the encoding is invalid, or a part is not a string.
 */
export function decodeKey(bytes: Uint8Array): string[] {
  const parts: string[] = [];
  let position = 0;
  while (position < bytes.length) {
    if (bytes[position++] !== STRING) {
      throw new TypeError("A key with numbers or bytes is not supported");
    }
    const part: number[] = [];
    for (;;) {
      const byte = bytes[position++];
      if (byte === undefined) throw new TypeError("Key ends in a string");
      if (byte === END && bytes[position] !== ESCAPE) break;
      if (byte === END) position++;
      part.push(byte);
    }
    parts.push(
      new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(part)),
    );
  }
  return parts;
}
