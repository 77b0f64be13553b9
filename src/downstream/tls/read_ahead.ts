/**
 * Deno 2.9.6, HTTP/1.1: while a request waits for its response, and while that is streamed, `Deno.serve` reads whatever
 * else its client sends, in order to notice that it leaves, and keeps it, without a limit: 150 to 700 MB/s. That is
 * what follows a request, and of an upload beside its response what nobody reads; as long as a read of a body waits, or
 * an upload has no response yet, it is not done. No upstream issue is known.
 *
 * Instead, over our own TLS, no more of a client's bytes are passed on than have been read, and a little. Extensions of
 * chunks and trailers count as unread, as nobody sees them read: an upload with more of them than that is stopped, as
 * if its client sent nothing more, and its connection closed once it is answered. Over plain HTTP, no bytes pass through
 * our hands: uploads beside their responses are watched (downstream/memory/guard.ts), and the front that terminates TLS
 * sends nothing beside a request.
 */

/** What may wait to be read beside a request: more than a browser or a client that pipelines sends at once, bytes. */
export const AHEAD_BYTES = 256 * 1024;

/** What the framing of a chunk takes (RFC 9112 section 7.1), bytes. */
const FRAMING_BYTES = 16;

/** If no request has begun by then after a response, what waits is left of an upload that nobody reads, ms. */
const QUIET_MS = 100;

/** The size of a request's head, bytes; if anything, less: what is counted as read must have been. */
export function headBytes({ method, url, headers }: Request): number {
  let bytes = method.length + " / HTTP/1.1\r\n\r\n".length;
  // Encoding makes a target longer than it came.
  const isAsItCame = !url.includes("%");
  if (isAsItCame) bytes += url.length - url.indexOf("/", "http://".length) - 1;
  for (const [name, value] of headers) bytes += name.length + value.length + 4;
  return bytes;
}

/** Says when more of what the client of one connection sends may be passed on. */
export class ReadAhead {
  #passedBytes = 0;
  #readBytes = 0;
  /** Settles once the response of the request that is under way has been sent. */
  #completed: (() => Promise<void>) | undefined;
  /** The response whose end is awaited already: a client may have to wait many times during one upload. */
  #awaited: (() => Promise<void>) | undefined;
  #isUnlimited = false;
  #isAbandoned = false;
  #waiting: PromiseWithResolvers<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** True once nobody wants what the client goes on to send after its response: its connection is to be closed. */
  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  /** A request has been read, with a head of so many bytes; `completed` settles once it is answered, or its client left. */
  begin(bytes: number, completed: () => Promise<void>): void {
    clearTimeout(this.#timer);
    this.#completed = completed;
    this.#count(bytes);
    if (this.#waiting !== undefined) this.#awaitEnd(completed);
  }

  onRead(bytes: number): void {
    this.#count(bytes + FRAMING_BYTES);
  }

  /** From now on, all that the client sends is passed on: the connection is a WebSocket's, or closed. */
  lift(): void {
    this.#isUnlimited = true;
    this.#resume();
  }

  /** So many bytes have been passed on; returns what resolves when more may be, or undefined if they may be at once. */
  onPassed(bytes: number): Promise<void> | undefined {
    this.#passedBytes += bytes;
    if (this.#completed === undefined || !this.#isOver()) return undefined;
    this.#waiting = Promise.withResolvers();
    this.#awaitEnd(this.#completed);
    return this.#waiting.promise;
  }

  #count(bytes: number): void {
    this.#readBytes = Math.min(this.#readBytes + bytes, this.#passedBytes);
    if (!this.#isOver()) this.#resume();
  }

  #isOver(): boolean {
    return !this.#isUnlimited &&
      this.#passedBytes - this.#readBytes > AHEAD_BYTES;
  }

  #awaitEnd(completed: () => Promise<void>): void {
    if (this.#awaited === completed) return;
    this.#awaited = completed;
    const onEnd = () => {
      if (this.#completed !== completed) return;
      this.#timer = setTimeout(() => {
        this.#isAbandoned = this.#isOver();
        this.#completed = undefined;
        this.#readBytes = this.#passedBytes;
        this.#resume();
      }, QUIET_MS);
    };
    completed().then(onEnd, onEnd);
  }

  #resume(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }
}
