/**
 * Deno 2.9.6, HTTP/1.1: with each read of a request body, unless the next one follows at once, as many bytes are taken
 * from the socket as any read on this connection has had room for; but of a chunked body a read returns no more than
 * what is left of one chunk. The rest is kept, without a limit, and moved with every further read. An upload in chunks
 * of one byte takes 43 KB for each of them: 4 MB in a second in which an app reads 100 bytes. No upstream issue is known.
 * To reproduce:
 *
 *     Deno.serve(async ({ body }) => {
 *       for await (const _ of body) await new Promise((resolve) => setTimeout(resolve, 10));
 *       return new Response();
 *     });
 *     // a client that sends "1\r\na\r\n" without end: Deno.memoryUsage().rss grows
 *
 * If such a body is cancelled before its response has been sent, or once its client has left, all that is kept is decoded
 * without a turn of the event loop: 7 to 18 s for 4 MB in chunks of one byte. Neither is there a limit for trailers: a
 * single read takes "0\r\nA: aaaa…" from the socket for as long as that goes on.
 *
 * Instead, reads have little room until the size of the chunks is known, and then what these take: clients send chunks of
 * one size. A body is cancelled once its response has been sent, and not at all if much may be kept of it: the garbage
 * collector closes it later. If its client has left by then, all is decoded nevertheless, which is not avoided. And since
 * whoever wants to can still fill memory, such uploads are watched (proxy/unseen_memory.ts).
 */

/** The room of a read until the size of chunks is known, bytes. A chunk with longer extensions is never returned. */
const FIRST_ROOM_BYTES = 1024;

/** The same once a chunk has filled that, bytes. */
const NEXT_ROOM_BYTES = 8 * 1024;

/** The part of a room that the framing may take (RFC 9112 section 7.1): with less, a chunk has ended. */
const FRAMING_BYTES = 16;

/** The most room of a read: for a chunk of 64 KiB, as many clients send them; bytes. */
const MAX_ROOM_BYTES = 64 * 1024 + FRAMING_BYTES;

/** From so much on that may be kept, a body is left to the garbage collector: it would be decoded in 40 ms, bytes. */
const MUCH_KEPT_BYTES = 64 * 1024;

type Bytes = Uint8Array<ArrayBuffer>;

interface Reader {
  /** The next bytes, in `room` unless they were there before. */
  read(room: Bytes): Promise<{ readonly value?: Bytes | undefined }>;
  cancel(): Promise<void>;
}

/** A short body that came with its head is no byte stream: it is there already. */
function readerOf(body: ReadableStream<Bytes>): Reader {
  try {
    return body.getReader({ mode: "byob" });
  } catch {
    return body.getReader();
  }
}

/**
 * The room for chunks of so many bytes, in as few reads of equal size as possible.
 *
 * @example
 * ```ts
 * roomFor(16_384); // 16_392: "4000", the chunk, and two line ends
 * roomFor(100_000); // 50_005: two reads
 * ```
 */
export function roomFor(chunkBytes: number): number {
  const onWire = chunkBytes + chunkBytes.toString(16).length + 4;
  const reads = Math.ceil(onWire / MAX_ROOM_BYTES);
  return Math.max(FIRST_ROOM_BYTES, Math.ceil(onWire / reads));
}

/** Reads a chunked request body, locking it only once it is read. */
export class ChunkedBody {
  readonly #body: ReadableStream<Bytes>;
  #reader: Reader | undefined;
  #isCancelled = false;
  #roomBytes = FIRST_ROOM_BYTES;
  /** What has been read of this chunk, and the size of the last one. */
  #chunkBytes = 0;
  #lastChunkBytes = 0;
  /** The most that Deno keeps. */
  #keptBytes = 0;
  readonly #answered: () => Promise<void>;

  /** @param answered Settles once the request's response has been sent, or its client has left. */
  constructor(body: ReadableStream<Bytes>, answered: () => Promise<void>) {
    this.#body = body;
    this.#answered = answered;
  }

  /**
   * The next bytes, at least one; null at the end, also after {@linkcode cancel}. One call at a time. Rejects if the body
   * fails.
   */
  async read(): Promise<Bytes | null> {
    this.#reader ??= readerOf(this.#body);
    const room = this.#roomBytes;
    const { value } = await this.#reader.read(new Uint8Array(room));
    if (value === undefined || value.length === 0) return null;
    this.#chunkBytes += value.length;
    this.#keptBytes += room - value.length;
    if (value.length < room - FRAMING_BYTES) this.#onChunkEnd();
    else this.#roomBytes = Math.max(this.#roomBytes, NEXT_ROOM_BYTES);
    return value;
  }

  /** Gives up the rest once the request has been answered, ending a `read()` that waits by then; does nothing at the end. */
  cancel(): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    if (this.#keptBytes > MUCH_KEPT_BYTES) return;
    const cancel = () => {
      (this.#reader ?? this.#body).cancel().catch(() => {});
    };
    this.#answered().then(cancel, cancel);
  }

  /** True once it was cancelled. */
  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  /** Called at the end of a chunk, or of what has come of it. */
  #onChunkEnd(): void {
    if (this.#chunkBytes === this.#lastChunkBytes) {
      this.#roomBytes = Math.max(this.#roomBytes, roomFor(this.#chunkBytes));
    }
    this.#lastChunkBytes = this.#chunkBytes;
    this.#chunkBytes = 0;
  }
}
