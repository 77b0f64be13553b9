/**
 * The messages of KV Connect's data path, in the Protocol Buffers encoding, as far as single keys and values of bytes
 * need them: field numbers and enumerations are those of denokv's `datapath.proto`.
 */

type Bytes = Uint8Array<ArrayBuffer>;

/** A mutation: `expireAt` is in ms since the epoch, 0 for never. */
export type Mutation =
  | { readonly key: Bytes; readonly value: Bytes; readonly expireAt: number }
  | { readonly key: Bytes; readonly value: undefined };

/** Mutations that are applied together if all checks hold; no versionstamp means that there must be no value. */
export interface AtomicWrite {
  readonly checks: readonly { readonly key: Bytes; readonly stamp: Bytes }[];
  readonly mutations: readonly Mutation[];
}

/** A stored value, and the ten bytes that increase with every commit. */
export interface Version {
  readonly value: Bytes;
  readonly stamp: Bytes;
}

const SET = 1;
const DELETE = 2;
const ENCODED_AS_BYTES = 3;
const SUCCESS = 1;
const CHECK_FAILURE = 2;
const NOTHING: Bytes = new Uint8Array();

/** The wire types of varints and of length-delimited fields, in the low three bits of a tag. */
const VARINT = 0;
const LENGTH_DELIMITED = 2;

/**
 * Decodes the keys of a SnapshotRead.
 *
 * @throws {TypeError} if it asks for more than single keys.
 */
export function decodeSnapshotRead(message: Bytes): Bytes[] {
  return new Message(message).messages(1).map((range) => {
    if (range.integer(3) !== 1) refuse("A range of keys");
    return range.bytes(1);
  });
}

/** Decodes the keys of a Watch. */
export function decodeWatch(message: Bytes): Bytes[] {
  return new Message(message).messages(1).map((watched) => watched.bytes(1));
}

/** Encodes what watched keys hold now, with its length before it: one part of the endless answer to a Watch. */
export function encodeWatchOutput(
  found: readonly (readonly [key: Bytes, version: Version | undefined])[],
): Bytes {
  const hasChanged = 1;
  const keys = found.map(([key, version]) => {
    const entry: Field[] = version === undefined
      ? []
      : [[2, encodeEntry(key, version)]];
    return [2, encode([[1, hasChanged], ...entry])] as const;
  });
  const output = encode([[1, SUCCESS], ...keys]);
  const framed = new Uint8Array(4 + output.length);
  new DataView(framed.buffer).setUint32(0, output.length, true);
  framed.set(output, 4);
  return framed;
}

/** Encodes what a SnapshotRead has found, in the order of its keys. */
export function encodeSnapshotReadOutput(
  found: readonly (readonly [key: Bytes, version: Version | undefined])[],
): Bytes {
  const ranges = found.map(([key, version]) => {
    const entry = version && encodeEntry(key, version);
    return [1, encode(entry === undefined ? [] : [[1, entry]])] as const;
  });
  const isStronglyConsistent = 1;
  return encode([...ranges, [4, isStronglyConsistent], [8, SUCCESS]]);
}

/**
 * Decodes an AtomicWrite.
 *
 * @throws {TypeError} if it does anything but check, set bytes, and delete.
 */
export function decodeAtomicWrite(bytes: Bytes): AtomicWrite {
  const message = new Message(bytes);
  return {
    checks: message.messages(1).map((check) => ({
      key: check.bytes(1),
      stamp: check.bytes(2),
    })),
    mutations: message.messages(2).map((mutation) => {
      const key = mutation.bytes(1);
      const type = mutation.integer(3);
      if (type === DELETE) return { key, value: undefined };
      const [value] = mutation.messages(2);
      if (type !== SET || value?.integer(2) !== ENCODED_AS_BYTES) {
        return refuse("A mutation other than to set bytes or to delete");
      }
      return { key, value: value.bytes(1), expireAt: mutation.integer(4) };
    }),
  };
}

/** Encodes the result of an AtomicWrite; the versionstamp is undefined if its checks did not hold. */
export function encodeAtomicWriteOutput(stamp: Bytes | undefined): Bytes {
  return stamp === undefined
    ? encode([[1, CHECK_FAILURE]])
    : encode([[1, SUCCESS], [2, stamp]]);
}

function encodeEntry(key: Bytes, { value, stamp }: Version): Bytes {
  return encode([[1, key], [2, value], [3, ENCODED_AS_BYTES], [4, stamp]]);
}

function refuse(what: string): never {
  throw new TypeError(`${what} is not supported`);
}

type Field = readonly [number: number, value: number | Bytes];

/** A decoded message; a field that is absent is 0 or empty, as in proto3. */
class Message {
  readonly #fields: readonly Field[];

  constructor(bytes: Bytes) {
    this.#fields = [...fieldsOf(bytes)];
  }

  integer(number: number): number {
    const value = this.#values(number).at(-1) ?? 0;
    return typeof value === "number" ? value : refuse(`Bytes as ${number}`);
  }

  bytes(number: number): Bytes {
    return this.#allBytes(number).at(-1) ?? NOTHING;
  }

  messages(number: number): Message[] {
    return this.#allBytes(number).map((bytes) => new Message(bytes));
  }

  #allBytes(number: number): Bytes[] {
    return this.#values(number).map((value) =>
      typeof value === "number" ? refuse(`An integer as ${number}`) : value
    );
  }

  #values(number: number): (number | Bytes)[] {
    return this.#fields.filter(([each]) => each === number)
      .map(([, value]) => value);
  }
}

function* fieldsOf(message: Bytes): Generator<Field> {
  let position = 0;
  function varint(): number {
    for (let result = 0, factor = 1;; factor *= 128) {
      const byte = message[position++] ?? refuse("A message cut short");
      result += (byte & 0x7f) * factor;
      if (byte < 0x80) return result;
    }
  }
  while (position < message.length) {
    const tag = varint();
    const type = tag % 8;
    const value = varint();
    if (type === VARINT) {
      yield [Math.floor(tag / 8), value];
    } else if (type === LENGTH_DELIMITED) {
      yield [
        Math.floor(tag / 8),
        message.subarray(position, position += value),
      ];
    } else {
      refuse(`Wire type ${type}`);
    }
  }
}

function encode(fields: readonly Field[]): Bytes {
  return Uint8Array.from(
    fields.flatMap(([number, value]) =>
      typeof value === "number"
        ? [...varint(number * 8 + VARINT), ...varint(value)]
        : [
          ...varint(number * 8 + LENGTH_DELIMITED),
          ...varint(value.length),
          ...value,
        ]
    ),
  );
}

function varint(value: number): number[] {
  return value < 0x80
    ? [value]
    : [value % 128 + 128, ...varint(Math.floor(value / 128))];
}
