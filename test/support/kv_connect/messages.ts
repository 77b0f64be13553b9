/** The messages of KV Connect's data path for reading, setting and deleting single keys; anything else is refused. */
import { decodeKey } from "./key.ts";
import { type Field, readFields, writeFields } from "./protobuf.ts";

/** A key, encoded and decoded. */
export interface Key {
  readonly bytes: Uint8Array;
  readonly parts: readonly string[];
}

/** A mutation of an AtomicWrite. */
export type Mutation =
  | { readonly type: "delete"; readonly key: Key }
  | {
    readonly type: "set";
    readonly key: Key;
    readonly value: Uint8Array;
    /** Ms since the epoch; 0 if it never expires. */
    readonly expireAt: number;
  };

/** A precondition of an AtomicWrite. */
export interface Check {
  readonly key: Key;
  /** The expected versionstamp of the value; empty if there must be no value. */
  readonly versionstamp: Uint8Array;
}

/** Mutations that are applied together if all checks hold. */
export interface AtomicWrite {
  readonly checks: readonly Check[];
  readonly mutations: readonly Mutation[];
}

/** A stored value, and the commit that wrote it. */
export interface Version {
  readonly value: Uint8Array;
  /** Ten bytes that increase with every commit. */
  readonly versionstamp: Uint8Array;
}

/** Values of the protocol's enumerations. */
const MUTATION_SET = 1;
const MUTATION_DELETE = 2;
const ENCODING_BYTES = 3;
const SUCCESS = 1;
const CHECK_FAILURE = 2;

function refuse(what: string): never {
  throw new TypeError(`${what} is not supported`);
}

function bytesOf([number, value]: Field): Uint8Array {
  return value instanceof Uint8Array ? value : refuse(`Integer as ${number}`);
}

function integerOf([number, value]: Field): number {
  return typeof value === "number" ? value : refuse(`Bytes as ${number}`);
}

function keyOf(field: Field): Key {
  const bytes = bytesOf(field);
  return { bytes, parts: decodeKey(bytes) };
}

/**
 * Decodes the keys of a SnapshotRead.
 *
 * @throws {TypeError} if one of its ranges is not a single key.
 */
export function decodeSnapshotRead(message: Uint8Array): Key[] {
  return readFields(message).map((field) => {
    if (field[0] !== 1) return refuse(`SnapshotRead with field ${field[0]}`);
    const range = new Map(readFields(bytesOf(field)));
    const [start, end, limit] = [1, 2, 3].map((number) => range.get(number));
    if (!(start instanceof Uint8Array) || !(end instanceof Uint8Array)) {
      return refuse("Range without two ends");
    }
    const isOneKey = end.length === start.length + 1 &&
      [...start, 0].every((byte, i) => end[i] === byte);
    if (!isOneKey || limit !== 1 || range.get(4)) refuse("Range of keys");
    return keyOf([1, start]);
  });
}

/** Encodes the result of a SnapshotRead, in the order of its keys. */
export function encodeSnapshotReadOutput(
  read: readonly {
    readonly key: Key;
    readonly version: Version | undefined;
  }[],
): Uint8Array<ArrayBuffer> {
  const ranges = read.map(({ key, version }): Field => {
    const entry: Field[] = version === undefined ? [] : [[
      1,
      writeFields([
        [1, key.bytes],
        [2, version.value],
        [3, ENCODING_BYTES],
        [4, version.versionstamp],
      ]),
    ]];
    return [1, writeFields(entry)];
  });
  const isStronglyConsistent = 1;
  return writeFields([...ranges, [4, isStronglyConsistent], [8, SUCCESS]]);
}

/**
 * Decodes an AtomicWrite.
 *
 * @throws {TypeError} if it contains anything but checks, sets and deletes.
 */
export function decodeAtomicWrite(message: Uint8Array): AtomicWrite {
  const checks: Check[] = [];
  const mutations: Mutation[] = [];
  for (const field of readFields(message)) {
    if (field[0] === 1) checks.push(decodeCheck(bytesOf(field)));
    else if (field[0] === 2) mutations.push(decodeMutation(bytesOf(field)));
    else refuse(`AtomicWrite with field ${field[0]}`);
  }
  return { checks, mutations };
}

function decodeCheck(message: Uint8Array): Check {
  let key: Key | undefined;
  let versionstamp: Uint8Array = new Uint8Array();
  for (const field of readFields(message)) {
    if (field[0] === 1) key = keyOf(field);
    else if (field[0] === 2) versionstamp = bytesOf(field);
    else refuse(`Check with field ${field[0]}`);
  }
  return key === undefined
    ? refuse("Check without a key")
    : { key, versionstamp };
}

function decodeMutation(message: Uint8Array): Mutation {
  let key: Key | undefined;
  let value: Uint8Array | undefined;
  let type = 0;
  let expireAt = 0;
  for (const field of readFields(message)) {
    if (field[0] === 1) key = keyOf(field);
    else if (field[0] === 2) value = decodeValue(bytesOf(field));
    else if (field[0] === 3) type = integerOf(field);
    else if (field[0] === 4) expireAt = integerOf(field);
    else refuse(`Mutation with field ${field[0]}`);
  }
  if (key === undefined) return refuse("Mutation without a key");
  if (type === MUTATION_DELETE) return { type: "delete", key };
  if (type !== MUTATION_SET) refuse(`Mutation of type ${type}`);
  if (value === undefined) return refuse("Set without a value");
  return { type: "set", key, value, expireAt };
}

function decodeValue(message: Uint8Array): Uint8Array {
  const fields = new Map(readFields(message));
  const data = fields.get(1) ?? new Uint8Array();
  if (fields.get(2) !== ENCODING_BYTES || !(data instanceof Uint8Array)) {
    return refuse(`Value encoded as ${fields.get(2)}`);
  }
  return data;
}

/** Encodes the result of an AtomicWrite; `versionstamp` is undefined if its checks did not hold. */
export function encodeAtomicWriteOutput(
  versionstamp: Uint8Array | undefined,
): Uint8Array<ArrayBuffer> {
  return versionstamp === undefined
    ? writeFields([[1, CHECK_FAILURE]])
    : writeFields([[1, SUCCESS], [2, versionstamp]]);
}
