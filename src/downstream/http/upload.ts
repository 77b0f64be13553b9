/** A request's body on its way to the upstream: what it holds, and the ways to end it. */
import type { ByteBudget, Holding } from "../../lib/byte_budget.ts";
import { fulfilsWithin } from "../../lib/fulfils_within.ts";
import type { BodyReader } from "../../upstream/http1/body_reader.ts";
import { UpstreamError } from "../../upstream/upstream_error.ts";
import type { UploadAbortReason } from "../ends.ts";
import { uploadMemory } from "../memory/account.ts";
import type { MemoryGuard, Watched } from "../memory/guard.ts";
import type { ChunkedBody } from "./chunked_body.ts";
import type { RequestBody } from "./request_body.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A read of what has arrived takes less, even beside a flood, ms. */
const READ_MS = 25;

/** A request's body on its way to the upstream, which the gateway can end. */
export class ClientUpload implements BodyReader, Watched {
  readonly #body: BodyReader;
  readonly #chunked: Pick<ChunkedBody, "isTooFine"> | undefined;
  readonly #request: Pick<Request, "signal">;
  readonly #onRead: ((bytes: number) => void) | undefined;
  readonly #end = new AbortController();
  #memory: Holding | undefined;
  #unwatch: (() => void) | undefined;
  #onDrop: (() => void) | undefined;
  #client = "";
  #received = 0;
  #readAt = performance.now();
  /** Bytes yet to be read, if their number was announced. */
  #remaining: number;
  #isComplete = false;
  /** The read that waits for more, as its caller sees it. */
  #waiting: PromiseWithResolvers<Bytes | null> | undefined;
  #idle: PromiseWithResolvers<void> | undefined;
  #isCancelled = false;
  #endedBecause: UploadAbortReason | undefined;

  constructor(
    { body, contentLength, chunked }: RequestBody & {
      readonly body: BodyReader;
    },
    request: Pick<Request, "signal">,
    onRead?: (bytes: number) => void,
  ) {
    this.#body = body;
    this.#chunked = chunked;
    this.#request = request;
    this.#onRead = onRead;
    this.#remaining = contentLength ?? Infinity;
  }

  /** True if there may be more to read. */
  get isOpen(): boolean {
    return !this.#isComplete && this.#remaining > 0;
  }

  /** True if a `read()` waits for more. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined && this.isOpen;
  }

  /** Resolves once no `read()` waits. */
  idle(): Promise<void> {
    if (this.#waiting === undefined) return Promise.resolve();
    this.#idle ??= Promise.withResolvers();
    return this.#idle.promise;
  }

  /** Aborted when the client disconnects or the gateway ends the upload. */
  get signal(): AbortSignal {
    return AbortSignal.any([this.#request.signal, this.#end.signal]);
  }

  /** Why the gateway ended the upload; undefined if it did not. */
  get endedBecause(): UploadAbortReason | undefined {
    return this.#endedBecause;
  }

  /** Ends the upload from our side. */
  abort(reason: UploadAbortReason): void {
    this.#endedBecause = reason;
    this.#end.abort();
  }

  /** Charges for what Deno reads ahead, until all has arrived or it is released; it is ended if it has to make room. */
  chargeTo(budget: Pick<ByteBudget<"upload">, "open">): void {
    this.#memory = budget.open("upload", () => {
      this.release(); // what it holds goes with its answer
      this.abort("evicted");
    });
  }

  /**
   * Has it dropped if it fills memory unseen; `onDrop` is called just before, also if it is dropped for its chunks. A
   * second call does nothing.
   */
  watchBy(
    memoryGuard: Pick<MemoryGuard, "watchUpload"> | undefined,
    client: string,
    onDrop: () => void,
  ): void {
    if (this.#onDrop !== undefined) return;
    this.#onDrop = onDrop;
    this.#client = client;
    this.#unwatch = memoryGuard?.watchUpload(this);
  }

  /** Whose it is, if it is watched. */
  get client(): string {
    return this.#client;
  }

  /** When some of it was read last, ms by `performance.now()`. */
  get heardAt(): number {
    return this.#readAt;
  }

  /** Charges nothing any more. */
  release(): void {
    this.#memory?.close();
  }

  /** The exchange is over: nothing is charged or watched any more. */
  close(): void {
    this.release();
    this.#unwatch?.();
  }

  read(): Promise<Bytes | null> {
    const waiting = this.#waiting = Promise.withResolvers<Bytes | null>();
    this.#read().then(waiting.resolve, waiting.reject);
    return waiting.promise;
  }

  async #read(): Promise<Bytes | null> {
    try {
      const bytes = await this.#body.read();
      if (bytes === null) this.#isComplete = true;
      else {
        this.#remaining -= bytes.length;
        this.#received += bytes.length;
        this.#onRead?.(bytes.length);
        this.#readAt = performance.now();
        if (this.#chunked?.isTooFine && this.#endedBecause === undefined) {
          this.#onDrop?.();
          this.abort("too_fine");
        }
      }
      if (this.isOpen) this.#memory?.set(uploadMemory(this.#received));
      else this.release();
      return bytes;
    } catch (error) {
      this.#isComplete = true;
      throw error;
    } finally {
      this.#waiting = undefined;
      this.#idle?.resolve();
      this.#idle = undefined;
      if (this.#isCancelled) this.#body.cancel();
    }
  }

  /** Gives up the rest; its source is told so once no read waits for it (see leaked_sockets.ts). */
  cancel(): void {
    this.#isCancelled = true;
    if (this.#waiting === undefined) return this.#body.cancel();
    this.#waiting.reject(new UpstreamError("aborted", "upload cancelled"));
  }

  /** Ends the upload because of what it takes unseen: a read that still waits a moment later may be what takes it. */
  async drop(): Promise<void> {
    this.#onDrop?.();
    if (!await fulfilsWithin(this.idle(), READ_MS)) this.abandon();
    this.abort("evicted");
  }

  /** Gives up the rest although a read waits, and may wait for ever. */
  abandon(): void {
    this.#body.cancel();
  }
}
