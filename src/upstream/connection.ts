import { dueAt, overdue, type TimeLimit } from "./deadlines.ts";
import { UpstreamError } from "./errors.ts";
import { encodeLatin1 } from "./octets.ts";

/** Octets of the read buffer: what a head and a small body need, and what a stream grows to. */
const MIN_BUFFER = 16 * 1024;
const MAX_BUFFER = 128 * 1024;

/** What of it is kept between two exchanges. */
const RESTING_BUFFER = 64 * 1024;

/** The same for a tunnel, most of which rest most of the time. */
const TUNNEL_BUFFER = 2 * 1024;

/** Whoever has a connection for itself. */
export interface ConnectionHolder {
  /** The connection has failed: it is closed. */
  connectionFailed(connection: Connection): void;
  /** Its client has waited for a while: from now on it is worth watching. */
  watch?(): void;
}

/**
 * A byte stream to an upstream with a read buffer. Whoever wants it to end calls `fail()`: that closes it at
 * once, and every read or write that is pending or comes later throws that same failure; only a head is just not sent.
 */
export class Connection {
  readonly originKey: string;
  /** When it became idle, on the pool's clock. */
  idleSince = 0;
  /** Told once, when the connection fails. No function: one for each exchange would live as long as the connection. */
  holder: ConnectionHolder | null = null;
  /** From when on its holder is to watch its client, on the pool's clock. */
  watchAt = Infinity;

  readonly #conn: Deno.Conn;
  readonly #onClose: (connection: Connection) => void;
  #failed = false;
  #failure: unknown;
  #buffer = new Uint8Array(MIN_BUFFER);
  #start = 0;
  #end = 0;
  #filling: Promise<boolean> | null = null;
  #isResting = false;
  #head = new Uint8Array(1024);
  #sent = 0;
  #unsent = 0;
  #writeFailure: unknown;
  #received = false;
  #ended = false;
  #limit: TimeLimit | undefined;
  #dueAt = Infinity;

  constructor(
    conn: Deno.Conn,
    options: { originKey: string; onClose: (connection: Connection) => void },
  ) {
    this.#conn = conn;
    this.originKey = options.originKey;
    this.#onClose = options.onClose;
  }

  /** Whether it was closed; why, every read and write throws. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Octets of the current exchange that were handed to the network. */
  get sent(): number {
    return this.#sent;
  }

  /** Whether anything was received in the current exchange. */
  get received(): boolean {
    return this.#received;
  }

  /** A view of the octets received and not yet consumed; the next `fill()` overwrites what it shows. */
  get unread(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** Whether another exchange may follow: it stands, all is sent that was written, consumed that came. */
  get clean(): boolean {
    return !this.#failed && !this.#ended && this.#unsent === 0 &&
      this.#start === this.#end;
  }

  /** How many octets were received and not yet consumed. */
  get unreadLength(): number {
    return this.#end - this.#start;
  }

  /** A copy of the first `count` unread octets, which are consumed. */
  take(count: number): Uint8Array<ArrayBuffer> {
    const taken = this.#buffer.slice(this.#start, this.#start + count);
    this.#start += count;
    return taken;
  }

  /**
   * What `octets`, a view of unread ones that were consumed, say in memory of their own. Where they fill most of the
   * buffer they get it: new memory takes less time than a copy.
   */
  keep(octets: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const { length } = this.#buffer;
    if (this.#start !== this.#end || octets.length * 2 < length) {
      return octets.slice();
    }
    this.#buffer = new Uint8Array(this.#sizeAfter(this.#end === length));
    this.#start = this.#end = 0;
    return octets;
  }

  /** Forgets the first `count` unread octets. */
  consume(count: number): void {
    this.#start += count;
  }

  /** Gives memory back: from here on this is a tunnel, and has no more heads to send. */
  becomeTunnel(): void {
    const { unread } = this;
    this.#buffer = new Uint8Array(Math.max(TUNNEL_BUFFER, unread.length));
    this.#buffer.set(unread);
    this.#start = 0;
    this.#end = unread.length;
    this.#head = new Uint8Array(0);
  }

  /** Waits for more octets; false at the end of the stream. One call at a time. Throws `UpstreamError`. */
  fill(): Promise<boolean> {
    const filling = this.#filling ?? this.#fill();
    this.#filling = null;
    return filling;
  }

  #fill(): Promise<boolean> {
    this.#makeRoom();
    return this.#conn.read(this.#buffer.subarray(this.#end))
      .then(this.#filled, this.#notFilled);
  }

  // Bound once: every read of every exchange comes back here.
  readonly #filled = (count: number | null): boolean => {
    if (this.#isResting) return this.#disturbed();
    if (count === null) {
      this.#ended = true;
      return false;
    }
    this.#end += count;
    this.#received = true;
    return true;
  };

  readonly #notFilled = (cause: unknown): boolean => {
    if (this.#isResting) return this.#disturbed();
    throw this.#lost(cause);
  };

  /** A buffer that was filled to the brim is a stream's: twice the size takes half the reads. */
  #sizeAfter(full: boolean): number {
    const { length } = this.#buffer;
    return full && length < MAX_BUFFER ? length * 2 : length;
  }

  #makeRoom(): void {
    const full = this.#end === this.#buffer.length;
    if (this.#start === this.#end) {
      const size = this.#sizeAfter(full);
      if (size > this.#buffer.length) this.#buffer = new Uint8Array(size);
      this.#start = this.#end = 0;
    } else if (full) {
      const unread = this.unread;
      if (unread.length > this.#buffer.length / 2) {
        this.#buffer = new Uint8Array(this.#buffer.length * 2);
      }
      this.#buffer.set(unread);
      this.#start = 0;
      this.#end = unread.length;
    }
  }

  /** Reads at most `target.length` octets past the buffer, which is empty; 0 at the end of the stream. */
  async readInto(target: Uint8Array): Promise<number> {
    try {
      return await this.#conn.read(target) ?? 0;
    } catch (cause) {
      throw this.#lost(cause);
    }
  }

  /** Sends a head of Latin-1 text in one write; false where the connection broke. */
  writeHead(head: string): Promise<boolean> {
    if (this.#head.length < head.length) {
      this.#head = new Uint8Array(head.length * 2);
    }
    encodeLatin1(head, this.#head);
    return this.#writeAll(this.#head.subarray(0, head.length));
  }

  /** Sends all of `octets`, which must not change until then. One call at a time. Throws `UpstreamError`. */
  async write(octets: Uint8Array): Promise<void> {
    if (!await this.#writeAll(octets)) throw this.#lost(this.#writeFailure);
  }

  async #writeAll(octets: Uint8Array): Promise<boolean> {
    this.#unsent = octets.length;
    try {
      let unsent = octets;
      while (unsent.length > 0) {
        const count = await this.#conn.write(unsent);
        this.#unsent -= count;
        this.#sent += count;
        unsent = unsent.subarray(count);
      }
      return true;
    } catch (cause) {
      this.#writeFailure = cause;
      return false;
    }
  }

  /** Gives it a deadline, `limit` from `now` on, in place of any earlier one: past that, `sweep()` fails it. */
  expect(limit: TimeLimit, now: number): void {
    this.#limit = limit;
    this.#dueAt = dueAt(limit, now);
  }

  /** From here on it has no deadline, and its client is not going to be watched. */
  expectNothing(): void {
    this.#dueAt = Infinity;
    this.watchAt = Infinity;
  }

  /** Fails it where it is overdue, and sees that a client who has waited for long is watched. */
  sweep(now: number): void {
    if (this.#dueAt <= now && this.#limit !== undefined) {
      return this.fail(overdue(this.#limit));
    }
    if (this.watchAt > now) return;
    this.watchAt = Infinity;
    this.holder?.watch?.();
  }

  /** Begins an exchange. */
  begin(): void {
    this.#sent = 0;
    this.#received = false;
    this.#isResting = false;
  }

  /**
   * Rests from `now` until `begin()`. Nothing may come meanwhile: octets that nobody asked for, or the stream's end,
   * fail the connection. What comes afterwards is the answer to a request.
   */
  rest(now: number): void {
    this.idleSince = now;
    this.#isResting = true;
    if (this.#buffer.length > RESTING_BUFFER) {
      this.#buffer = new Uint8Array(RESTING_BUFFER);
      this.#start = this.#end = 0;
    }
    this.#filling = this.#fill();
  }

  #disturbed(): false {
    this.fail(new UpstreamError("connection_lost", "idle connection ended"));
    return false;
  }

  /** Closes at once for the reason given, an `UpstreamError` unless we are wrong; only the first call counts. */
  fail(reason: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#failure = reason;
    this.#conn.close();
    this.#onClose(this);
    this.holder?.connectionFailed(this);
  }

  /** What a read or write that broke has to throw: the reason we closed for, where it was us. */
  #lost(cause: unknown): unknown {
    return this.#failed
      ? this.#failure
      : new UpstreamError("connection_lost", "upstream connection broke", {
        cause,
      });
  }
}
