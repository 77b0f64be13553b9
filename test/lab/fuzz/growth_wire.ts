/** Long heads, bodies and streams of frames. */
import { ChunkedDecoder } from "../../../src/upstream/http1/chunked_decoder.ts";
import { requestHead } from "../../../src/upstream/http1/request_head.ts";
import {
  findHeadEnd,
  parseResponseHead,
} from "../../../src/upstream/http1/response_head.ts";
import { UpstreamError } from "../../../src/upstream/upstream_error.ts";
import { FrameDecoder } from "../../../src/upstream/websocket/frame_decoder.ts";
import { ProtocolViolation } from "../../../src/upstream/websocket/frames.ts";
import { checkSwitch } from "../../../src/upstream/websocket/handshake.ts";
import { requestOf } from "../../support/upstream.ts";
import { BLANKS, type Growth, repeated, repeatedBytes } from "./growth.ts";
import { unless } from "./property.ts";

const BASE = "preview.example.com";
const LIMITS = { maxHeadBytes: 2 ** 30, maxHeaderCount: 2 ** 30 };

function decodeFrames(bytes: Uint8Array<ArrayBuffer>, pieceBytes: number) {
  const decoder = new FrameDecoder({ maxMessageBytes: 2 ** 30 });
  unless(ProtocolViolation, () => {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      decoder.push(bytes.subarray(at, at + pieceBytes));
      while (decoder.next() !== undefined);
    }
  });
}

function decodeChunks(bytes: Uint8Array<ArrayBuffer>, pieceBytes: number) {
  const decoder = new ChunkedDecoder(LIMITS);
  unless(UpstreamError, () => {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      decoder.decode(bytes.slice(at, at + pieceBytes));
    }
  });
}

/** Parsers and writers of upstream messages. */
export const wireGrowths: readonly Growth[] = [
  ...repeatedBytes(
    "parseResponseHead()",
    ["a: b\r\n", "a", ":", "Connection: a,\r\n", ",", ...BLANKS],
    (bytes) =>
      unless(
        UpstreamError,
        () =>
          parseResponseHead(bytes.subarray(0, findHeadEnd(bytes, 0)), LIMITS),
      ),
    ["HTTP/1.1 200 OK\r\nConnection: a", "a: b\r\n\r\n"],
  ),
  ...repeatedBytes(
    "findHeadEnd(), byte by byte,",
    ["a: b\r\n", "a", "\r"],
    (bytes) => {
      for (let end = 1; end <= bytes.length; end++) {
        findHeadEnd(bytes.subarray(0, end), end - 1);
      }
    },
  ),
  ...repeatedBytes(
    "ChunkedDecoder, byte by byte,",
    ["1\r\na\r\n", "1;a=b\r\na\r\n", "0\r\n", "0"],
    (bytes) => decodeChunks(bytes, 1),
  ),
  ...repeatedBytes(
    "ChunkedDecoder",
    ["1\r\na\r\n", "a: b\r\n", "a"],
    (bytes) => decodeChunks(bytes, bytes.length),
    ["0\r\n", "\r\n"],
  ),
  ...repeatedBytes(
    "FrameDecoder, byte by byte,",
    ["\x00\x00", "\x00\x01a", "\x89\x01a", "a"],
    (bytes) => decodeFrames(bytes, 1),
    ["\x01\x00", ""],
  ),
  ...repeatedBytes(
    "FrameDecoder",
    ["\x00\x00", "\x00\x01a", "\x89\x01a"],
    (bytes) => decodeFrames(bytes, bytes.length),
    ["\x01\x00", "\x80\x00"],
  ),
  ...repeated(
    "requestHead()",
    ["a", ...BLANKS],
    (text) =>
      requestHead(requestOf({ headers: [["host", BASE], ["a", text]] }), {
        upgrade: false,
      }),
    ["a", "a"],
  ),
  ...repeated(
    "checkSwitch()",
    [",", "upgrade,", ...BLANKS],
    (text) =>
      checkSwitch(
        [
          ["upgrade", "websocket"],
          ["connection", text],
          ["sec-websocket-extensions", text],
        ],
        { accept: "", offered: [] },
      ),
    ["a", "a"],
  ),
];
