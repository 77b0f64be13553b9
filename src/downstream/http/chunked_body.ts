/**
 * Deno 2.9.6, HTTP/1.1: with each read of a request body, as many bytes are taken from the socket as any read on this
 * connection has had room for, and 1 KiB at least; but of a chunked body a read returns no more than what is left of
 * one chunk. The rest is kept, without a limit, and moved with every further read. Once a response in one piece has
 * been sent, or if the body is cancelled before, or the client has closed its side when a read fails, all that is kept
 * is decoded without a turn of the event loop: 7 to 18 s for 4 MB in chunks of one byte. No upstream issue is known.
 *
 * Nor do Deno's limits for trailers, 64 KiB, and a line of extensions, 4 KiB, hold for a read with no more room: a single
 * one takes "0\r\nA: aaaa…" from the socket for as long as that goes on, even once its request has been answered.
 *
 * Instead, reads have little room until the size of the chunks is known, and then what these take: clients send chunks
 * of one size, also as one of many uploads. The first one has as much as any before it on the connection, which Deno
 * takes anyway, and would keep.
 * What may be kept is counted, until a read waits, when nothing is: if decoding that would take long, the upload must
 * end. Beside it, responses are sent in parts (platform/streamed_response.ts), and the body is cancelled once that is
 * sent, or its client has left: then, what is kept is freed as it is. And since whoever wants to can still fill memory
 * by trailers, such uploads are watched (downstream/memory/guard.ts).
 */
import { clearImmediate, setImmediate } from "node:timers";
import {
  type BodyReader,
  type Bytes,
  type Reader,
  readerOf,
} from "../../stream/body_reader.ts";
import { giveBackBuffer, takeBuffer } from "../../stream/buffer_pool.ts";
import { StreamError } from "../../stream/stream_error.ts";
import {
  MAX_ROOM_BYTES,
  MIN_ROOM_BYTES,
  type ReadSizes,
} from "./read_sizes.ts";

/** The least room once a chunk was longer than the one before it, bytes. */
const LONGER_ROOM_BYTES = 8 * 1024;

/** The part of a room that the framing may take (RFC 9112 section 7.1): with less, a chunk has ended. */
const FRAMING_BYTES = 16;

/** The least that the framing of a chunk takes: "1", and two line ends. */
const MIN_FRAMING_BYTES = 5;

/** The most room of a read: for a chunk of 64 KiB, as many clients send them; bytes. */
const MAX_CHUNK_ROOM_BYTES = MAX_ROOM_BYTES + FRAMING_BYTES;

/** From so much on that may be kept, reads are watched for whether they wait, bytes. */
const WATCHED_BYTES = 128 * 1024;

/** So much may be kept of chunks of one byte, of which each takes 6: it would be decoded in 25 to 100 ms; bytes. */
const MAX_KEPT_BYTES = 256 * 1024;

/** The time goes with the square of what is kept, and with the number of chunks. */
const MAX_DECODING = MAX_KEPT_BYTES ** 2 / (1 + MIN_FRAMING_BYTES);

/** Longer chunks are never too fine: many programs send a line, or a word, in one; bytes with framing. */
const FINE_BYTES = 24;

/** How much a single read counts for the usual size of those before it. */
const LAST_READ_SHARE = 1 / 4;

/** The room for chunks of so many bytes, in as few equal reads as possible. @example `roomFor(100_000)` is 50_005, in two */
export function roomFor(chunkBytes: number): number {
  const onWire = chunkBytes + chunkBytes.toString(16).length + 4;
  const reads = Math.ceil(onWire / MAX_CHUNK_ROOM_BYTES);
  return Math.max(MIN_ROOM_BYTES, Math.ceil(onWire / reads));
}

export interface BodySource {
  /** Settles once the client has taken the response to its request, or left. */
  readonly delivered: () => Promise<void>;
  /** The client's end of the connection. */
  readonly connection: string;
  readonly readSizes: ReadSizes;
}

/** Reads a chunked request body, locking it only once it is read. */
export class ChunkedBody implements BodyReader {
  readonly #body: ReadableStream<Bytes>;
  readonly #source: BodySource;
  #reader: Reader | undefined;
  #isCancelled = false;
  #isComplete = false;
  #roomBytes: number;
  #largestReadBytes: number;
  /** What has been read of this chunk, and the size of the last one, which may be of the upload before. */
  #chunkBytes = 0;
  #lastChunkBytes: number;
  /** The most that Deno keeps, and what a read has usually taken of that. */
  #keptBytes = 0;
  #usualBytes = MIN_ROOM_BYTES;

  constructor(body: ReadableStream<Bytes>, source: BodySource) {
    this.#body = body;
    this.#source = source;
    const { readSizes, connection } = source;
    this.#largestReadBytes = this.#roomBytes = readSizes.largestOf(connection);
    this.#lastChunkBytes = readSizes.lastChunkOf(connection);
  }

  async read(): Promise<Bytes | null> {
    this.#reader ??= readerOf(this.#body);
    const { connection, readSizes } = this.#source;
    const room = this.#roomBytes;
    if (room > this.#largestReadBytes) {
      this.#largestReadBytes = room;
      readSizes.note(connection, room);
    }
    const bytes = await this.#watched(this.#reader.read(takeBuffer(room)));
    // A stream reports its cancellation as an ordinary end.
    if (this.#isCancelled) throw new StreamError("aborted", "body cancelled");
    if (bytes === undefined || bytes.length === 0) {
      this.#isComplete = true;
      if (bytes !== undefined) giveBackBuffer(new Uint8Array(bytes.buffer));
      readSizes.noteChunk(connection, this.#lastChunkBytes);
      return null;
    }
    this.#noteKept(bytes.length + MIN_FRAMING_BYTES);
    this.#chunkBytes += bytes.length;
    const isEnd = bytes.length < room - FRAMING_BYTES ||
      this.#chunkBytes === this.#lastChunkBytes;
    if (isEnd) this.#onChunkEnd();
    else if (this.#chunkBytes > this.#lastChunkBytes) {
      this.#roomBytes = Math.max(LONGER_ROOM_BYTES, this.#largestReadBytes);
    }
    return bytes;
  }

  /** Gives up the rest once the request has been answered, ending a `read()` that waits by then; does nothing at the end. */
  cancel(): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    const cancel = () => (this.#reader ?? this.#body).cancel().catch(() => {});
    this.#source.delivered().then(cancel, cancel);
  }

  /**
   * Gives up the rest beside a response in parts, while a read waits and nothing is kept: from then on, Deno ends what
   * that read takes and closes the connection, once that response is complete, which it does not if it was cancelled later.
   */
  abandon(): void {
    this.#isCancelled = true;
    this.#reader?.cancel().catch(() => {});
  }

  /** How much may be kept: nothing before it is read, or after its end. Beside much, responses must not be in one piece. */
  get left(): "nothing" | "some" | "much" {
    if (this.#reader === undefined || this.#isComplete) return "nothing";
    return this.#keptBytes > WATCHED_BYTES ? "much" : "some";
  }

  /** True if it must not be read on: what may be kept would take too long to decode. */
  get isTooFine(): boolean {
    const usual = this.#usualBytes;
    return usual < FINE_BYTES && this.#keptBytes ** 2 > MAX_DECODING * usual;
  }

  /** What a read returns; if it has to wait for that, nothing was kept. */
  async #watched(
    reading: ReturnType<Reader["read"]>,
  ): Promise<Bytes | undefined> {
    if (this.#keptBytes <= WATCHED_BYTES) return (await reading).value;
    // A read of what is kept resolves without a turn of the event loop.
    const turn = setImmediate(() => {
      this.#keptBytes = 0;
    });
    try {
      return (await reading).value;
    } finally {
      clearImmediate(turn);
    }
  }

  /** Counts a read that has used so many bytes, and may have taken more. */
  #noteKept(usedBytes: number): void {
    this.#usualBytes += (usedBytes - this.#usualBytes) * LAST_READ_SHARE;
    const unread = this.#largestReadBytes - usedBytes;
    this.#keptBytes = Math.max(0, this.#keptBytes + unread);
  }

  /** Called at the end of a chunk, or of what has come of it. What waits has its room's memory: it is no larger than needed. */
  #onChunkEnd(): void {
    const room = roomFor(Math.max(this.#chunkBytes, this.#lastChunkBytes));
    const isKnown = this.#chunkBytes === this.#lastChunkBytes;
    if (isKnown || room < this.#roomBytes) this.#roomBytes = room;
    this.#lastChunkBytes = this.#chunkBytes;
    this.#chunkBytes = 0;
  }
}
