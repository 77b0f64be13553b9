import { clearImmediate, setImmediate } from "node:timers";
import { fairTurn, UNPACED_READS } from "../../lib/fair_turn.ts";
import { freeBuffer } from "../../platform/free_buffer.ts";
import type { BodyReader, Bytes } from "../../stream/body_reader.ts";
import { giveBackBuffer, takeBuffer } from "../../stream/buffer_pool.ts";
import { StreamError } from "../../stream/stream_error.ts";
import { encodeLatin1 } from "./bytes.ts";
import type { Connection } from "./connection.ts";
import { MAX_GATHERED_BYTES } from "./gather_body.ts";
import type { UpstreamRequest } from "./message.ts";

/** The most memory of parts that are sent in one piece, bytes: a small one may have much. */
const MAX_JOINED_BYTES = 64 * 1024;

/** A long upload has so many reads in a row, 512 KiB in 0.5 ms: where each one is of another, all of their memory is cold. */
export const READS_PER_TURN = 8;

/** Of an upload in chunks, a part of so many bytes took little work for each of them, as the next one probably will. */
const MIN_CHEAP_BYTES = 16 * 1024;

const LAST_CHUNK = "0\r\n\r\n";

/** Is told of each wait of an upload, to be able to end it if one takes too long. */
export interface UploadObserver {
  awaitingBody(): void;
  awaitingUpstream(): void;
}

/** Sends a request that has a body: as it is if its length was declared, chunked otherwise. */
export class UploadSender {
  readonly #connection: Connection;
  readonly #body: BodyReader;
  readonly #request: Pick<UpstreamRequest, "contentLength" | "onUpload">;
  readonly #observer: UploadObserver;
  /** True once the body may have been asked for. */
  #isRead = false;
  #stopped = false;
  #complete = false;
  /** The bytes of the body that were sent. */
  #sent = 0;
  #reads = 0;
  /** The size of the part that was read last. */
  #lastBytes = 0;

  constructor(
    connection: Connection,
    body: BodyReader,
    request: Pick<UpstreamRequest, "contentLength" | "onUpload">,
    observer: UploadObserver,
  ) {
    this.#connection = connection;
    this.#body = body;
    this.#request = request;
    this.#observer = observer;
  }

  get complete(): boolean {
    return this.#complete;
  }

  /** Runs until all is sent, `stop()` or a failure; never throws. A cut body fails the connection, lest it look complete. */
  async run(head: string): Promise<void> {
    try {
      await this.#send(head);
    } catch {
      // A write failed, but an upstream that has stopped reading may still respond: the receiving side finds out.
    } finally {
      this.stop();
      this.#giveUpBody(); // which was left if the first write was not over
    }
  }

  /** Abandons whatever has not been sent, and cancels the body unless it was never read, or may be sent again. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#giveUpBody();
  }

  #giveUpBody(): void {
    const { sent, received } = this.#connection;
    if (this.#isRead && (sent > 0 || received)) this.#body.cancel();
  }

  async #send(head: string): Promise<void> {
    const first = await this.#peek();
    if (this.#stopped) return;
    if (first === undefined) {
      if (!await this.#connection.writeHead(head)) return;
      this.#complete = this.#request.contentLength === 0;
    } else {
      await this.#write(first === null ? [] : [first], first === null, head);
      if (first === null || this.#stopped) return;
      await this.#body.read(); // which is not needed again
      this.#lastBytes = first.length;
      release(first);
    }
    while (!this.#complete) {
      const { parts, isEnd } = await this.#nextParts();
      if (this.#stopped) return;
      await this.#write(parts, isEnd);
      if (isEnd) return;
    }
  }

  /** Waits for a part of the body, and takes small ones behind it that are there: a write takes longer than their copy. */
  async #nextParts(): Promise<{ parts: Bytes[]; isEnd: boolean }> {
    const parts: Bytes[] = [];
    let length = this.#sent;
    let memory = 0;
    this.#observer.awaitingBody();
    for (;;) {
      const next = await this.#read();
      if (next === null) return { parts, isEnd: true };
      parts.push(next);
      length += next.length;
      memory += next.buffer.byteLength;
      const isAll = length === this.#request.contentLength;
      if (isAll || memory >= MAX_JOINED_BYTES) break;
      const peeked = await this.#peek();
      if (peeked === undefined) break;
      const more = peeked?.buffer.byteLength ?? 0;
      if (memory + more > MAX_JOINED_BYTES) break;
    }
    return { parts, isEnd: false };
  }

  /** Writes parts of the body, which are released; or the head and the first one, which may have to be sent again. */
  async #write(
    parts: readonly Bytes[],
    isEnd: boolean,
    head?: string,
  ): Promise<void> {
    this.#observer.awaitingUpstream();
    const declared = this.#request.contentLength;
    const length = lengthOf(parts);
    this.#sent += length;
    if (declared !== null && this.#sent > declared) {
      return this.#fail("request body is longer than declared");
    }
    if (declared !== null && isEnd && this.#sent < declared) {
      return this.#fail("request body is shorter than declared");
    }
    const bytes = declared === null
      ? chunk(parts, { length, isEnd, head })
      : joined(parts, head);
    for (const part of parts) {
      if (head === undefined && part !== bytes) release(part);
    }
    await this.#connection.write(bytes);
    release(bytes);
    // Not only at the end of the stream: the upstream may already respond.
    this.#complete = declared === null ? isEnd : this.#sent === declared;
    if (length > 0) this.#request.onUpload?.(length);
  }

  /** What the body has next if it is there within a turn of the event loop; undefined if not. */
  async #peek(): Promise<Bytes | null | undefined> {
    if (this.#stopped) return undefined;
    const reading = this.#body.peek?.();
    if (reading === undefined) return undefined;
    this.#isRead = true;
    const late = Promise.withResolvers<undefined>();
    const turn = setImmediate(late.resolve, undefined);
    try {
      return await Promise.race([reading, late.promise]);
    } catch (cause) {
      if (!this.#stopped) this.#fail("request body failed", cause);
      return undefined;
    } finally {
      clearImmediate(turn);
    }
  }

  /** The next part of the body; null at its end or if it failed. */
  async #read(): Promise<Bytes | null> {
    if (this.#isTurnDue(++this.#reads)) await fairTurn();
    this.#isRead = true;
    try {
      const bytes = await this.#body.read();
      this.#lastBytes = bytes?.length ?? 0;
      return bytes;
    } catch (cause) {
      if (!this.#stopped) this.#fail("request body failed", cause);
      return null;
    }
  }

  /** True if others have their turn before that read, counted from 1. What comes in small chunks may take much to decode. */
  #isTurnDue(read: number): boolean {
    const { contentLength } = this.#request;
    if (contentLength !== null && contentLength <= MAX_GATHERED_BYTES) {
      return read > UNPACED_READS;
    }
    const isCheap = contentLength !== null ||
      this.#lastBytes >= MIN_CHEAP_BYTES;
    return !isCheap || read % READS_PER_TURN === 0;
  }

  #fail(message: string, cause?: unknown): void {
    this.stop();
    this.#connection.fail(new StreamError("source_failed", message, { cause }));
  }
}

/** Parts in one chunk (RFC 9112 section 7.1), and the last chunk if they are the end: copying takes less than more writes. */
function chunk(
  parts: readonly Bytes[],
  { length, isEnd, head = "" }: {
    readonly length: number;
    readonly isEnd: boolean;
    readonly head: string | undefined;
  },
): Bytes {
  const last = isEnd ? LAST_CHUNK : "";
  return length === 0
    ? joined(parts, head + last)
    : joined(parts, `${head}${length.toString(16)}\r\n`, `\r\n${last}`);
}

/** Parts between Latin-1 text; one with nothing around it is not copied. */
function joined(parts: readonly Bytes[], before = "", after = ""): Bytes {
  const [only] = parts;
  const isAlone = parts.length === 1 && before === "" && after === "";
  if (isAlone && only !== undefined) return only;
  const bytes = takeBuffer(before.length + lengthOf(parts) + after.length);
  encodeLatin1(before, bytes);
  let end = before.length;
  for (const part of parts) {
    bytes.set(part, end);
    end += part.length;
  }
  encodeLatin1(after, bytes.subarray(end));
  return bytes;
}

function lengthOf(parts: readonly Bytes[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

/** Has memory used again that was lent, and frees any other. */
function release(bytes: Bytes): void {
  if (!giveBackBuffer(bytes)) freeBuffer(bytes);
}
