/** A client's body on its way: the upstream reads it, and may give it up; the gateway counts it, charges, and may end it. */
import { fulfilsWithin } from "../../lib/fulfils_within.ts";
import type { BodyReader, Bytes } from "../../stream/body_reader.ts";
import type { ByteBudget, Holding } from "../../stream/byte_budget.ts";
import { StreamError } from "../../stream/stream_error.ts";
import type { UploadAbortReason } from "../ends.ts";
import { uploadMemory } from "../memory/account.ts";
import type { MemoryGuard, Watched } from "../memory/guard.ts";
import { ChunkedBody } from "./chunked_body.ts";

/** A read of what has arrived takes less, even beside a flood, ms. */
const READ_MS = 25;

interface UploadSource {
  readonly body: BodyReader;
  /** Bytes; null if it was not announced. */
  readonly contentLength: number | null;
  /** The request, for its signal: it costs something to ask for it. */
  readonly request: Pick<Request, "signal">;
  /** True if the client sends it only once it is read: then Deno tells it to go on (RFC 9110 section 10.1.1). */
  readonly isAwaited?: boolean;
  /** Told the size of each part that is read, bytes. */
  readonly onRead?: ((bytes: number) => void) | undefined;
}

export class Upload implements BodyReader, Watched {
  readonly #source: UploadSource;
  /** The body if it comes in chunks over HTTP/1.1: then Deno may keep some of it. */
  readonly #chunked: ChunkedBody | undefined;
  readonly #onFail: () => void;
  readonly #failed = new AbortController();
  #failedBecause: UploadAbortReason | undefined;
  #memory: Holding | undefined;
  #unwatch: (() => void) | undefined;
  #received = 0;
  /** True once its end was read, or it broke. */
  #hasEnded = false;
  #isCancelled = false;
  #isGivenUp = false;
  #isAbandoned = false;
  /** The read that waits for more, as its caller sees it. */
  #reading: PromiseWithResolvers<Bytes | null> | undefined;
  #idle: PromiseWithResolvers<void> | undefined;
  /** What was read, or is being read, for the next `read()`. */
  #peeked: Promise<Bytes | null> | undefined;

  /** @param onFail Called just before it fails */
  constructor(source: UploadSource, onFail: () => void) {
    const { body } = source;
    this.#source = source;
    this.#chunked = body instanceof ChunkedBody ? body : undefined;
    this.#onFail = onFail;
  }

  /** True if there may be more to read. */
  get isOpen(): boolean {
    return !this.#hasEnded &&
      this.#received < (this.#source.contentLength ?? Infinity);
  }

  /** How much of it may be left with Deno, unread, which takes time to decode (see chunked_body.ts). */
  get left(): "nothing" | "some" | "much" {
    return this.#chunked?.left ?? "nothing";
  }

  /** Resolves once no read waits for more; undefined if none does. */
  idle(): Promise<void> | undefined {
    if (this.#reading === undefined || !this.isOpen) return undefined;
    this.#idle ??= Promise.withResolvers();
    return this.#idle.promise;
  }

  /** Aborted when the client disconnects or the upload fails. */
  get signal(): AbortSignal {
    return AbortSignal.any([this.#source.request.signal, this.#failed.signal]);
  }

  /** True if it comes in chunks, whose trailers have no end that a read would see. */
  get isChunked(): boolean {
    return this.#chunked !== undefined;
  }

  /** True once it was given up although a read waited. */
  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  /** Why the gateway ended the upload; undefined if it did not. */
  get failedBecause(): UploadAbortReason | undefined {
    return this.#failedBecause;
  }

  read(): Promise<Bytes | null> {
    // A read that waits beside a response in parts takes what comes, without a limit, and is never told to stop.
    if (this.#isOver) {
      return Promise.reject(new StreamError("aborted", "upload given up"));
    }
    const peeked = this.#peeked;
    this.#peeked = undefined;
    if (peeked !== undefined) return peeked;
    const reading = this.#reading = Promise.withResolvers<Bytes | null>();
    this.#read().then(reading.resolve, reading.reject);
    return reading.promise;
  }

  peek(): Promise<Bytes | null> | undefined {
    if (this.#source.isAwaited) return undefined;
    return this.#peeked ??= this.read();
  }

  /** True if nobody may read on: it was given up or has failed, and may not be watched any more. */
  get #isOver(): boolean {
    return this.#isGivenUp || this.#isCancelled ||
      this.#failedBecause !== undefined;
  }

  async #read(): Promise<Bytes | null> {
    try {
      const bytes = await this.#source.body.read();
      if (bytes === null) this.#hasEnded = true;
      else this.#count(bytes.length);
      if (this.isOpen) this.#memory?.set(uploadMemory(this.#received));
      else this.#memory?.close(); // all has arrived
      return bytes;
    } catch (error) {
      this.#hasEnded = true;
      throw error;
    } finally {
      this.#reading = undefined;
      this.#idle?.resolve();
      this.#idle = undefined;
      if (this.#isCancelled) this.#source.body.cancel();
    }
  }

  #count(bytes: number): void {
    this.#received += bytes;
    const { onRead } = this.#source;
    // Over TLS, read_ahead.ts bounds what is kept.
    if (onRead !== undefined) onRead(bytes);
    else if (this.#chunked?.isTooFine) this.fail("too_fine");
  }

  /** Nobody wants the rest: its source is told so once no read waits for it (see leaked_sockets.ts). */
  cancel(): void {
    this.#isCancelled = true;
    if (this.#reading === undefined) return this.#source.body.cancel();
    this.#reading.reject(new StreamError("aborted", "upload cancelled"));
  }

  /**
   * Gives up the rest although a read waits, and may wait for ever: who waits for that goes on. The response beside it
   * has to be completed then, if it is in parts, or the read takes trailers without end (see chunked_body.ts).
   */
  abandon(): void {
    this.#isAbandoned = true;
    if (this.#chunked === undefined) this.#source.body.cancel();
    else this.#chunked.abandon();
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  /** Ends the upload from our side, and the response beside it if there is one; a second call does nothing. */
  fail(reason: UploadAbortReason): void {
    if (this.#failedBecause !== undefined) return;
    this.#failedBecause = reason;
    this.#onFail();
    this.#failed.abort();
  }

  /** Fails it for what it takes unseen: a read that still waits a moment later may be what takes it. */
  async drop(): Promise<void> {
    const idle = this.idle();
    const isReading = idle !== undefined && !await fulfilsWithin(idle, READ_MS);
    this.fail("evicted");
    if (isReading) this.abandon(); // a response that breaks off waits for it
  }

  /** Charges for what Deno reads ahead, until all has arrived or the exchange is over; it fails if it has to make room. */
  chargeTo(budget: Pick<ByteBudget<"upload">, "open">, client: string): void {
    const memory = this.#memory = budget.open("upload", () => {
      memory.close(); // what it holds goes with its answer
      this.fail("evicted");
    }, client);
  }

  /** Has it dropped if it fills memory unseen, by that client; a second call does nothing. */
  watchBy(
    guard: Pick<MemoryGuard, "watch"> | undefined,
    client: string,
  ): void {
    if (this.#unwatch !== undefined || guard === undefined) return;
    this.client = client;
    this.#unwatch = guard.watch(this);
  }

  client = "";
  readonly isUpload = true;
  /** What is read of it does not tell what else is kept. */
  readonly heardAt = 0;

  /** Has nothing more taken of a body in chunks once its request has been answered: Deno would, as long as a read waits. */
  giveUp(): void {
    if (this.#chunked === undefined) return;
    this.#isGivenUp = true;
    // Of who never was read, see unread_body.ts.
    if (this.left !== "nothing") this.#chunked.cancel();
  }

  /** The exchange is over: nothing is charged any more, nor watched, unless a read waits that may still take more. */
  close(): void {
    this.#memory?.close();
    const idle = this.idle();
    if (idle === undefined) this.#unwatch?.();
    else idle.then(() => this.#unwatch?.());
  }
}
