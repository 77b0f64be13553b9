/** The Protocol Buffers encoding, as far as KV Connect needs it: varints and length-delimited fields. */

/** A field of a message: its number, and an integer or bytes. */
export type Field = readonly [number: number, value: number | Uint8Array];

/** The supported wire types, in the low three bits of a field's tag. */
const VARINT = 0;
const LENGTH_DELIMITED = 2;

/**
 * Decodes the fields of a message, in order.
 *
 * @throws {TypeError} if the encoding is invalid.
 */
export function readFields(message: Uint8Array): Field[] {
  const fields: Field[] = [];
  let position = 0;

  function varint(): number {
    let result = 0;
    for (let factor = 1;; factor *= 128) {
      const byte = message[position++];
      if (byte === undefined) throw new TypeError("Message ends in an integer");
      result += (byte & 0x7f) * factor;
      if (!Number.isSafeInteger(result)) throw new TypeError("Integer too big");
      if (byte < 0x80) return result;
    }
  }

  function bytes(length: number): Uint8Array {
    const end = position + length;
    if (end > message.length) throw new TypeError("Message ends in a field");
    const field = message.subarray(position, end);
    position = end;
    return field;
  }

  while (position < message.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case VARINT:
        fields.push([number, varint()]);
        break;
      case LENGTH_DELIMITED:
        fields.push([number, bytes(varint())]);
        break;
      default:
        throw new TypeError(`Wire type ${tag % 8} is not supported`);
    }
  }
  return fields;
}

/** Encodes a message; integers must not be negative. */
export function writeFields(fields: readonly Field[]): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];

  function varint(value: number): void {
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) {
      bytes.push(rest % 128 + 128);
    }
    bytes.push(rest);
  }

  for (const [number, value] of fields) {
    if (typeof value === "number") {
      varint(number * 8 + VARINT);
      varint(value);
    } else {
      varint(number * 8 + LENGTH_DELIMITED);
      varint(value.length);
      for (const byte of value) bytes.push(byte);
    }
  }
  return Uint8Array.from(bytes);
}
