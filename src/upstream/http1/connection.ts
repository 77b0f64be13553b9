import { fairTurn } from "../../lib/fair_turn.ts";
import {
  deadlineOf,
  type TimeLimit,
  timeoutError,
  UpstreamError,
} from "../upstream_error.ts";
import { encodeLatin1 } from "./bytes.ts";
import { ReadBuffer } from "./read_buffer.ts";

/** What an idle connection keeps for reading: room for 64 KiB and a head, as many servers write them; bytes. */
const IDLE_BUFFER_BYTES = 66 * 1024;

/** What a tunnel keeps for reading, since most are quiet most of the time; and what that of a busy one grows to, bytes. */
const TUNNEL_BUFFER_BYTES = 2 * 1024;
const MAX_TUNNEL_BUFFER_BYTES = 64 * 1024;

/** The current user of a connection: an exchange, or the pool. */
export interface ConnectionOwner {
  /** Called when the connection has failed and is closed. */
  connectionFailed(connection: Connection): void;
  /** Whether there is memory to read so many bytes at once; always if there is no such method. */
  mayRead?(size: number): boolean;
  /** Called once `watchAt` is reached: it is time to watch for the client's disconnection. */
  watchClient?(): void;
}

/** A byte stream to an upstream. Once it has failed, it is closed, and every read or write but `writeHead()` throws why. */
export class Connection {
  readonly originKey: string;
  /** The time at which it became idle, on the pool's clock. */
  idleSince = 0;
  /** Notified once, when the connection fails. Not a callback: a closure per exchange would live as long as this. */
  owner: ConnectionOwner | null = null;
  /** The time at which the owner is to start watching its client, on the pool's clock. */
  watchAt = Infinity;
  /** The bytes that were received and not yet consumed; `fill()` adds to them. */
  readonly input = new ReadBuffer((size) =>
    this.owner?.mayRead?.(size) ?? true
  );

  readonly #conn: Deno.Conn;
  readonly #onClose: (connection: Connection) => void;
  #failed = false;
  #failure: unknown;
  /** The read that has been pending since the connection became idle, until the next exchange takes it over. */
  #idleFill: Promise<boolean> | null = null;
  #isIdle = false;
  #head = new Uint8Array(1024);
  #sent = 0;
  #unsent = 0;
  #writeFailure: unknown;
  #received = false;
  #ended = false;
  #limit: TimeLimit | undefined;
  #deadline = Infinity;

  constructor(
    conn: Deno.Conn,
    options: { originKey: string; onClose: (connection: Connection) => void },
  ) {
    this.#conn = conn;
    this.originKey = options.originKey;
    this.#onClose = options.onClose;
  }

  /** True once it has failed and is closed; reads and writes throw the reason. */
  get failed(): boolean {
    return this.#failed;
  }

  /** The number of bytes of the current exchange that were written to the network. */
  get sent(): number {
    return this.#sent;
  }

  get received(): boolean {
    return this.#received;
  }

  /** True if another exchange may follow: the connection is open, all writes are complete, all input is consumed. */
  get isReusable(): boolean {
    return !this.#failed && !this.#ended && this.#unsent === 0 &&
      this.#writeFailure === undefined && this.input.length === 0;
  }

  /** Frees memory that a tunnel does not need: most of the read buffer, and the buffer for heads. */
  becomeTunnel(): void {
    this.input.shrink(TUNNEL_BUFFER_BYTES);
    this.input.maxBytes = MAX_TUNNEL_BUFFER_BYTES;
    this.#head = new Uint8Array(0);
  }

  /** Waits for more bytes, after others' turns; false at the end. One call at a time. */
  fill(): Promise<boolean> {
    // The first read of an exchange is not one of a loop.
    const turn = this.#received ? fairTurn() : undefined;
    return turn === undefined ? this.fillNow() : turn.then(this.#fillLater);
  }

  /** Reads more without waiting for anybody's turn: for the first reads of what is short. */
  fillNow(): Promise<boolean> {
    const filling = this.#idleFill;
    if (filling === null) return this.#fill();
    this.#idleFill = null;
    return filling;
  }

  #fill(): Promise<boolean> {
    return this.#conn.read(this.input.space())
      .then(this.#onRead, this.#onReadError);
  }

  // Bound once rather than for each read.
  readonly #fillLater = (): Promise<boolean> => this.fillNow();

  readonly #onRead = (count: number | null): boolean => {
    if (this.#isIdle) {
      this.failIdle();
      return false;
    }
    if (count === null) {
      this.#ended = true;
      return false;
    }
    this.input.add(count);
    this.#received = true;
    return true;
  };

  readonly #onReadError = (cause: unknown): boolean => {
    if (!this.#isIdle) throw this.#failureFor(cause);
    this.failIdle();
    return false;
  };

  /** Writes a head of Latin-1 text at once; false if the write failed. */
  writeHead(head: string): Promise<boolean> {
    if (this.#head.length < head.length) {
      this.#head = new Uint8Array(head.length * 2);
    }
    encodeLatin1(head, this.#head);
    const bytes = this.#head.subarray(0, head.length);
    this.#unsent = bytes.length;
    return this.#conn.write(bytes).then(this.#onHeadWrite, this.#onWriteError);
  }

  // Bound once rather than for each head: nearly always one write takes all of it.
  readonly #onHeadWrite = (count: number): boolean | Promise<boolean> => {
    const end = this.#sent + this.#unsent;
    this.#onWrite(count);
    if (this.#unsent === 0) return true;
    return this.write(this.#head.subarray(this.#sent, end))
      .then(() => true, () => false);
  };

  readonly #onWriteError = (cause: unknown): false => {
    this.#writeFailure = cause;
    return false;
  };

  /** Writes all of `bytes`, which must not change meanwhile. One call at a time. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#writeFailure !== undefined) {
      throw this.#failureFor(this.#writeFailure);
    }
    this.#unsent = bytes.length;
    try {
      while (this.#unsent > 0) {
        this.#onWrite(await this.#conn.write(bytes.subarray(-this.#unsent)));
      }
    } catch (cause) {
      this.#writeFailure = cause;
      throw this.#failureFor(cause);
    }
  }

  #onWrite(count: number): void {
    this.#unsent -= count;
    this.#sent += count;
  }

  /** Sets the deadline to `limit` from `now`, replacing any earlier one; past it, `sweep()` fails the connection. */
  setDeadline(limit: TimeLimit, now: number): void {
    this.#limit = limit;
    this.#deadline = deadlineOf(limit, now);
  }

  clearDeadlines(): void {
    this.#deadline = Infinity;
    this.watchAt = Infinity;
  }

  /** Fails the connection if its deadline has passed, and has the client watched if it has waited long enough. */
  sweep(now: number): void {
    if (this.#deadline <= now && this.#limit !== undefined) {
      return this.fail(timeoutError(this.#limit));
    }
    if (this.watchAt > now) return;
    this.watchAt = Infinity;
    this.owner?.watchClient?.();
  }

  /** Starts an exchange: whatever arrives from now on is its response. */
  startExchange(): void {
    this.#sent = 0;
    this.#received = false;
    this.#isIdle = false;
  }

  /** Makes it idle from `now` until `startExchange()`, with a read pending: unsolicited bytes, or the end, fail it. */
  markIdle(now: number): void {
    this.idleSince = now;
    this.#isIdle = true;
    this.input.shrink(IDLE_BUFFER_BYTES);
    this.#idleFill = this.#fill();
  }

  /** Fails a connection that ended, or received unsolicited bytes, while it was idle. */
  failIdle(): void {
    const message = "closed, or sent unsolicited octets, while idle";
    this.fail(new UpstreamError("connection_lost", message));
  }

  /** Closes at once for this reason, an `UpstreamError` or `StreamError` barring bugs; only the first call has an effect. */
  fail(reason: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#failure = reason;
    this.#conn.close();
    this.#onClose(this);
    this.owner?.connectionFailed(this);
  }

  /** The error of a failed read or write: if the connection was closed here, the reason for that. */
  #failureFor(cause: unknown): unknown {
    if (this.#failed) return this.#failure;
    const message = "upstream connection lost";
    return new UpstreamError("connection_lost", message, { cause });
  }
}
