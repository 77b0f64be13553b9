/** Handmade frames of RFC 6455, valid and invalid, and a tunnel with both ends under a test's control. */
import { fromLatin1, toLatin1 } from "../support/latin1.ts";
import {
  Closed,
  type RawResponse,
  type RawStream,
  readResponse,
} from "../support/raw_client.ts";
import { acceptOf } from "../support/wire_frames.ts";
import { messageOf } from "./exchange.ts";
import { holdNext, type PendingRequest } from "./raw_runner.ts";
import type { Target } from "./target.ts";

/** The opcodes of RFC 6455 section 5.2. */
export const OPCODE = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
} as const;

/** A frame; the payload is Latin-1 text. */
export interface Frame {
  readonly opcode: number;
  readonly payload: string;
  /** True by default. */
  readonly final?: boolean;
  /** RSV1 to RSV3 as a number from 0 to 7. */
  readonly reserved?: number;
  readonly masked?: boolean;
}

/** Encodes a frame, with its length in the shortest form. */
export function frame(
  { opcode, payload, final = true, reserved = 0, masked = false }: Frame,
): string {
  const first = (final ? 0x80 : 0) | reserved << 4 | opcode;
  const { length } = payload;
  const [short, extended] = length < 126
    ? [length, ""]
    : length < 0x10000
    ? [126, bigEndian(length, 2)]
    : [127, bigEndian(length, 8)];
  const head = String.fromCharCode(first, short | (masked ? 0x80 : 0)) +
    extended;
  if (!masked) return head + payload;
  const key = "\x12\x34\xab\xcd";
  return head + key + mask(payload, key);
}

/** Encodes a client's frame, which is masked. */
export function clientFrame(parts: Frame): string {
  return frame({ masked: true, ...parts });
}

/** Encodes the payload of a Close frame. */
export function closing(code: number, reason = ""): string {
  return bigEndian(code, 2) + reason;
}

/** Reads the next frame, and unmasks its payload. */
export async function readFrame(stream: RawStream): Promise<Required<Frame>> {
  const [first = 0, second = 0] = octets(await stream.read(2));
  const masked = (second & 0x80) !== 0;
  let length = second & 0x7f;
  if (length >= 126) {
    const extended = octets(await stream.read(length === 126 ? 2 : 8));
    length = extended.reduce((value, octet) => value * 256 + octet, 0);
  }
  const key = masked ? await stream.read(4) : "\0";
  return {
    opcode: first & 0x0f,
    final: (first & 0x80) !== 0,
    reserved: first >> 4 & 7,
    masked,
    payload: mask(await stream.read(length), key),
  };
}

/** Reads the next message, reassembled from its fragments; control frames are skipped. */
export async function readMessage(
  stream: RawStream,
): Promise<[opcode: number, payload: string]> {
  let message: [opcode: number, payload: string] | undefined;
  for (;;) {
    const { opcode, final, payload } = await readFrame(stream);
    if (opcode >= OPCODE.close) continue;
    message = [message?.[0] ?? opcode, (message?.[1] ?? "") + payload];
    if (final) return message;
  }
}

/** Reads until the next Close, and returns its code; undefined if the connection closes without one. */
export async function readClose(
  stream: RawStream,
): Promise<number | undefined> {
  try {
    for (;;) {
      const { opcode, payload } = await readFrame(stream);
      if (opcode !== OPCODE.close) continue;
      const [high, low] = octets(payload);
      return high === undefined || low === undefined ? 1005 : high << 8 | low;
    }
  } catch (error) {
    if (!(error instanceof Closed)) throw error;
    return undefined;
  }
}

/** The fields of a client's handshake, with the key of RFC 6455 section 1.3. */
export const HANDSHAKE: readonly string[] = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

/** A handshake in progress, seen from both ends. */
export interface Opening extends Disposable {
  readonly client: RawStream;
  /** The gateway's handshake request to the app. */
  readonly app: PendingRequest;
  /** The Sec-WebSocket-Accept that the app has to send. */
  readonly accept: string;
}

/** Starts a handshake, and waits until it has arrived at the app. */
export async function beginHandshake(
  target: Target,
  fields: readonly string[] = [],
): Promise<Opening> {
  using started = new DisposableStack();
  const held = started.use(holdNext(target.runner));
  const client = started.use(await target.connect());
  const all = [...HANDSHAKE, ...fields];
  await client.write(messageOf(target, { fields: all }));
  const app = await held.request;
  const key = /^sec-websocket-key: (.*)\r$/im.exec(app.head)?.[1] ?? "";
  const accept = acceptOf(key);
  const owned = started.move();
  return { client, app, accept, [Symbol.dispose]: () => owned.dispose() };
}

/** The 101 that accepts a handshake, with additional field lines. */
export function switching(accept: string, ...fields: string[]): string {
  return [
    "HTTP/1.1 101 Switching Protocols",
    "Connection: Upgrade",
    "Upgrade: websocket",
    `Sec-WebSocket-Accept: ${accept}`,
    ...fields,
    "",
    "",
  ].join("\r\n");
}

/** A tunnel with both ends under the test's control. */
export interface OpenTunnel extends Disposable {
  readonly client: RawStream;
  readonly app: RawStream;
  /** The response to the client's handshake. */
  readonly response: RawResponse;
}

/** Opens a tunnel; `early` is sent in the same write as the app's 101. */
export async function openTunnel(
  target: Target,
  early = "",
): Promise<OpenTunnel> {
  using started = new DisposableStack();
  const opening = started.use(await beginHandshake(target));
  const { client, app: { stream }, accept } = opening;
  await stream.write(switching(accept) + early);
  const response = await readResponse(client);
  const owned = started.move();
  return {
    client,
    app: stream,
    response,
    [Symbol.dispose]: () => owned.dispose(),
  };
}

function octets(text: string): number[] {
  return [...fromLatin1(text)];
}

function bigEndian(value: number, size: number): string {
  return Array.from(
    { length: size },
    (_, i) =>
      String.fromCharCode(Math.floor(value / 256 ** (size - 1 - i)) % 256),
  ).join("");
}

function mask(payload: string, key: string): string {
  const keys = fromLatin1(key);
  return toLatin1(
    fromLatin1(payload).map((octet, i) => octet ^ (keys[i % keys.length] ?? 0)),
  );
}
