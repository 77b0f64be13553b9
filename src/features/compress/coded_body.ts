/** Bodies in a coding. The platform compresses on the thread that serves everybody, so it is done piece by piece. */
import { Buffer } from "node:buffer";
import {
  constants,
  createGzip,
  createZstdCompress,
  gzipSync,
  zstdCompressSync,
} from "node:zlib";
import { fairTurn } from "../../lib/fair_turn.ts";
import { freeBuffer } from "../../platform/free_buffer.ts";
import type { BodyReader, Bytes } from "../../stream/body_reader.ts";
import type { Coding } from "./coding.ts";

const GZIP = { level: 4 };

// Level 3 is the default; the window bounds its memory.
const ZSTD = { params: { [constants.ZSTD_c_windowLog]: 18 } };

/** The memory of zstd's encoder (measured), bytes; gzip's takes a quarter of that. */
export const ENCODER_BYTES = 1280 * 1024;

/** Half a millisecond of work, bytes. */
const PIECE_BYTES = 64 * 1024;

const NOTHING = new Uint8Array(0);

/** The whole of a body, coded. */
export function codedBytes(body: Bytes, coding: Coding): Bytes {
  return new Uint8Array(
    coding === "gzip" ? gzipSync(body, GZIP) : zstdCompressSync(body, ZSTD),
  );
}

/**
 * A body on its way, coded: what is read of it is passed on at once, so that none waits for what an app has yet to send.
 * Its length is in bytes, infinite if nobody knows; `onPiece` is told the size of each piece that is compressed.
 */
export function codedBody(
  source: BodyReader,
  { coding, length, onPiece }: {
    readonly coding: Coding;
    readonly length: number;
    readonly onPiece: (bytes: number) => void;
  },
): BodyReader {
  const isGzip = coding === "gzip";
  const encoder = isGzip ? createGzip(GZIP) : createZstdCompress(ZSTD);
  const flushKind = isGzip ? constants.Z_SYNC_FLUSH : constants.ZSTD_e_flush;
  const coded: Uint8Array[] = [];
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {}); // whoever reads hears of it
  encoder.on("data", (part: Uint8Array) => coded.push(part));
  encoder.on("error", failed.reject);
  let unread = NOTHING;
  let left = length;
  let hasEnded = false;

  async function next(): Promise<Bytes> {
    await fairTurn();
    if (unread.length === 0) unread = await source.read() ?? NOTHING;
    const piece = unread.subarray(0, PIECE_BYTES);
    left -= piece.length;
    hasEnded = piece.length === 0 || left === 0;
    onPiece(piece.length);
    const encoded = new Promise<void>((resolve) => {
      if (hasEnded) encoder.once("end", resolve).end(piece);
      else encoder.write(piece, () => encoder.flush(flushKind, resolve));
    });
    await Promise.race([encoded, failed.promise]);
    unread = unread.subarray(piece.length);
    if (unread.length === 0) freeBuffer(piece);
    // A copy: the memory of what an encoder makes may be others', too.
    return new Uint8Array(Buffer.concat(coded.splice(0)));
  }

  return {
    async read() {
      if (hasEnded) return null;
      try {
        return await next();
      } catch (error) {
        encoder.destroy(); // V8 does not know how much memory that is
        throw error;
      }
    },
    cancel() {
      source.cancel();
      encoder.destroy();
      failed.reject(new Error("body cancelled"));
    },
  };
}
