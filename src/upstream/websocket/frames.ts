/** WebSocket frames on the wire (RFC 6455 section 5): headers that a server sends, frames that a client sends. */
import { isCloseCode } from "../../http/close_code.ts";
import type { Bytes } from "../../stream/body_reader.ts";

/** The defined opcodes; 3-7 and 11-15 are reserved (RFC 6455 section 5.2). */
export const OPCODE = {
  continuation: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;

/** The opcode of a frame that we send: never continuation, since this client does not fragment. */
export type SentOpcode = Exclude<
  typeof OPCODE[keyof typeof OPCODE],
  typeof OPCODE.continuation
>;

/** Set in the opcodes of control frames. */
export const CONTROL_BIT = 0x8;

/** The longest payload of a control frame, in bytes (RFC 6455 section 5.5). */
const CONTROL_PAYLOAD_BYTES = 125;

/** Protocol error, invalid payload data, policy violation, or message too big (RFC 6455 section 7.4.1). */
type ViolationCode = 1002 | 1007 | 1008 | 1009;

/** The peer violated RFC 6455 or our policy; the connection must be failed with `closeCode` (section 7.1.7). */
export class ProtocolViolation extends Error {
  override readonly name = "ProtocolViolation";
  readonly closeCode: ViolationCode;

  constructor(closeCode: ViolationCode, message: string) {
    super(message);
    this.closeCode = closeCode;
  }
}

/** A frame's header (RFC 6455 section 5.2). */
export interface FrameHeader {
  readonly final: boolean;
  readonly opcode: number;
  readonly payloadAt: number;
  readonly length: number;
}

function violation(message: string): ProtocolViolation {
  return new ProtocolViolation(1002, message);
}

/**
 * Parses the header of a server's frame at index `at` (RFC 6455 section 5.2); undefined if it is incomplete.
 * @throws {ProtocolViolation} 1002 if no server that negotiated no extension may send it.
 */
export function parseFrameHeader(
  input: Uint8Array,
  at: number,
): FrameHeader | undefined {
  const first = input[at];
  const second = input[at + 1];
  if (first === undefined || second === undefined) return undefined;
  if ((first & 0x70) !== 0) {
    throw violation("Reserved bits set without an extension");
  }
  if ((second & 0x80) !== 0) throw violation("Masked frame from the server");

  const final = (first & 0x80) !== 0;
  const opcode = first & 0xf;
  const length = second & 0x7f;
  if ((opcode & CONTROL_BIT) !== 0) {
    if (opcode > OPCODE.pong) throw violation(`Reserved opcode ${opcode}`);
    if (!final) throw violation("Fragmented control frame");
    if (length > CONTROL_PAYLOAD_BYTES) {
      throw violation("Control frame is too long");
    }
  } else if (opcode > OPCODE.binary) {
    throw violation(`Reserved opcode ${opcode}`);
  }
  if (length < 126) return { final, opcode, payloadAt: at + 2, length };

  const payloadAt = at + (length === 126 ? 4 : 10);
  if (input.length < payloadAt) return undefined;
  const view = new DataView(input.buffer, input.byteOffset + at + 2);
  if (length === 126) {
    const extended = view.getUint16(0);
    if (extended < 126) throw violation("Length is not minimally encoded");
    return { final, opcode, payloadAt, length: extended };
  }
  const high = view.getUint32(0);
  if (high >= 0x8000_0000) throw violation("Length exceeds 63 bits");
  const extended = high * 0x1_0000_0000 + view.getUint32(4);
  if (extended < 0x1_0000) throw violation("Length is not minimally encoded");
  return { final, opcode, payloadAt, length: extended };
}

const encoder = new TextEncoder();

/**
 * The payload of a Close frame (RFC 6455 section 5.5.1); empty if there is no code.
 * @throws {RangeError} If the code must not be sent or the payload would be longer than 125 bytes.
 */
export function closePayload(
  code: number | undefined,
  reason: string,
): Uint8Array {
  if (code === undefined) return new Uint8Array(0);
  if (!isCloseCode(code)) {
    throw new RangeError(`Cannot send close code ${code}`);
  }
  const text = encoder.encode(reason);
  const payload = new Uint8Array(2 + text.length);
  if (payload.length > CONTROL_PAYLOAD_BYTES) {
    throw new RangeError("Cannot send a close reason of more than 123 octets");
  }
  new DataView(payload.buffer).setUint16(0, code);
  payload.set(text, 2);
  return payload;
}

const maskingKeys = new Uint32Array(1024);
let keysUsed = maskingKeys.length;

/** A fresh key from a strong source of entropy (RFC 6455 section 5.3); drawn in batches, as the call is expensive. */
function maskingKey(): number {
  for (;;) {
    const key = maskingKeys[keysUsed++];
    if (key !== undefined) return key;
    crypto.getRandomValues(maskingKeys);
    keysUsed = 0;
  }
}

/** Writes a fresh key at `keyAt`, which is aligned to a word, and masks the payload that follows it. */
function mask(bytes: Bytes, keyAt: number): void {
  const key = maskingKey();
  const wordCount = (bytes.length - keyAt) >>> 2;
  const words = new Uint32Array(bytes.buffer, keyAt, wordCount);
  words[0] = key;
  // All indices are in bounds: the zeros are for the type checker.
  for (let i = 1; i < wordCount; i++) words[i] = (words[i] ?? 0) ^ key;
  for (let i = keyAt + wordCount * 4; i < bytes.length; i++) {
    bytes[i] = (bytes[i] ?? 0) ^ (bytes[keyAt + (i & 3)] ?? 0);
  }
}

/** One final, masked frame (RFC 6455 sections 5.2 and 5.3). */
export function encodeFrame(opcode: SentOpcode, payload: Uint8Array): Bytes {
  const { length } = payload;
  const extended = length < 126 ? 0 : length < 0x1_0000 ? 2 : 8;
  // Offset so that the key and the payload are aligned to words, and the mask can be applied a word at a time.
  const start = extended === 2 ? 0 : 2;
  const keyAt = start + 2 + extended;
  const bytes = new Uint8Array(keyAt + 4 + length);
  bytes[start] = 0x80 | opcode;
  bytes[start + 1] = 0x80 |
    (extended === 0 ? length : extended === 2 ? 126 : 127);
  if (extended === 2) {
    new DataView(bytes.buffer).setUint16(start + 2, length);
  } else if (extended === 8) {
    new DataView(bytes.buffer).setBigUint64(start + 2, BigInt(length));
  }
  bytes.set(payload, keyAt + 4);

  mask(bytes, keyAt);
  return bytes.subarray(start);
}
