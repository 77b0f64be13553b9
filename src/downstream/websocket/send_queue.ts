/**
 * Deno 2.9.6, as every browser: a WebSocket has no drain event (whatwg/websockets#17), and `bufferedAmount` counts
 * bytes of payload only, although each queued message costs the runtime about 1 KiB, however short it is.
 *
 * Besides, `bufferedAmount` is 0 once the WebSocket is closing, although all that was queued is kept until the client
 * takes it or leaves: nothing can drop it.
 *
 * Instead, the queue is polled, and its messages are counted here.
 */

/** Frees the memory of a message that has been passed on. */
export { freeBuffer as freeMessage } from "../../platform/free_buffer.ts";

/** Most messages queued at once: Deno writes them all without a turn of the event loop, at 3 µs each, 1.5 ms in all. */
const MAX_QUEUED_MESSAGES = 512;

/** So many are counted at once: more roughly than the looks at them, and a client that keeps up would be charged. */
const MESSAGES_PER_MARK = 8;

/** What a queued message costs besides its payload, bytes. */
const MESSAGE_COST_BYTES = 1024;

/** The longest message that is queued before there is known to be memory for it, bytes; it is charged right after. */
const MAX_UNASKED_BYTES = 16 * 1024;

/** So many messages, or bytes, since the last look do not fill it: a look at each takes 2 % of an echo of 128 bytes. */
const UNSEEN_MESSAGES = 8;
const UNSEEN_BYTES = 16 * 1024;

/** A smaller change of what is queued is not charged: every message of a client that keeps up would be, twice; bytes. */
const GRAIN_BYTES = 16 * 1024;

/** A queue that nobody waits for is looked at again after this time, until it is empty. */
const SETTLE_MS = 100;

/** The shortest and longest pause between two polls: short at first, since a client that keeps up must not wait. */
const FIRST_POLL_MS = 1;
const LAST_POLL_MS = 100;

interface QueuedMessage {
  readonly data: string | Uint8Array<ArrayBuffer>;
  readonly bytes: number;
}

interface SendQueueOptions {
  /** It is full above so many bytes, which may change. */
  readonly highWaterMarkBytes: () => number;
  /** Charges for memory, or returns it if negative; false if there is none for so many bytes more. */
  readonly charge?: (bytes: number) => boolean;
}

/**
 * The runtime's send queue for a client, as far as `bufferedAmount` shows it. Messages are written in order, so if no
 * byte is queued, no message is either, except empty ones at the end of the queue: whether those were written shows
 * only once a message that is not empty has followed them.
 */
export class SendQueue {
  readonly #socket: WebSocket;
  readonly #highWaterMarkBytes: () => number;
  readonly #charge: (bytes: number) => boolean;
  #sentBytes = 0;
  #queuedMessages = 0;
  #trailingEmptyMessages = 0;
  /** The value of `#sentBytes` after every so many of the queued messages, counted from the latest that was taken. */
  readonly #marks: number[] = [];
  #sinceMark = 0;
  #unseenMessages = 0;
  #unseenBytes = 0;
  #chargedBytes = 0;
  #settling: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: WebSocket, options: SendQueueOptions) {
    this.#socket = socket;
    this.#highWaterMarkBytes = options.highWaterMarkBytes;
    this.#charge = options.charge ?? (() => true);
  }

  /** Bytes of payload that the client's connection has taken. */
  get takenBytes(): number {
    return this.#sentBytes - this.#socket.bufferedAmount;
  }

  /** True if anything is queued, or may be: so many empty messages were sent last. */
  get isWaiting(): boolean {
    return this.isFull || this.#socket.bufferedAmount > 0;
  }

  /** True while nothing more should be sent: too many bytes, or possibly too many messages, are queued. */
  get isFull(): boolean {
    return this.#look() > this.#highWaterMarkBytes() ||
      this.#queuedMessages >= MAX_QUEUED_MESSAGES;
  }

  /** Notes what has been taken, and charges for the rest; returns the number of bytes of payload that are queued. */
  #look(): number {
    const queuedBytes = this.#socket.bufferedAmount;
    this.#unseenMessages = this.#unseenBytes = 0;
    if (queuedBytes === 0) {
      this.#queuedMessages = this.#trailingEmptyMessages;
      this.#marks.length = this.#sinceMark = 0;
    } else {
      const takenBytes = this.#sentBytes - queuedBytes;
      while ((this.#marks[0] ?? Infinity) < takenBytes) {
        this.#marks.shift();
        this.#queuedMessages -= MESSAGES_PER_MARK;
      }
    }
    this.#account(queuedBytes + this.#queuedMessages * MESSAGE_COST_BYTES);
    return queuedBytes;
  }

  /** Charges for what is queued, give or take {@linkcode GRAIN_BYTES}. */
  #account(bytes: number): void {
    const more = bytes - this.#chargedBytes;
    if (Math.abs(more) < GRAIN_BYTES) return;
    // Once it is closing, nothing tells what is still queued.
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    if (this.#charge(more)) this.#chargedBytes = bytes;
    this.#lookAgain();
  }

  /** Looks again later as long as anything is charged, since nothing tells when it has been taken. */
  #lookAgain(): void {
    if (this.#chargedBytes === 0) return;
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined;
      this.#look();
      this.#lookAgain();
    }, SETTLE_MS);
  }

  close(): void {
    clearTimeout(this.#settling);
  }

  /** Resolves once it is not full, or `isOver()` says that nobody cares any more. */
  async untilNotFull(isOver: () => boolean): Promise<void> {
    let pollMs = FIRST_POLL_MS;
    while (!isOver() && this.isFull) {
      await new Promise((resolve) => setTimeout(resolve, pollMs));
      pollMs = Math.min(2 * pollMs, LAST_POLL_MS);
    }
  }

  /** Queues a message, unless there is no memory for it; returns true if it may be full now. */
  send(message: QueuedMessage): boolean {
    if (message.bytes > MAX_UNASKED_BYTES) {
      const cost = message.bytes + MESSAGE_COST_BYTES;
      if (!this.#charge(cost)) return true;
      this.#chargedBytes += cost;
    }
    this.#socket.send(message.data);
    this.#sentBytes += message.bytes;
    this.#queuedMessages++;
    if (++this.#sinceMark === MESSAGES_PER_MARK) {
      this.#sinceMark = 0;
      this.#marks.push(this.#sentBytes);
    }
    const emptyMessages = this.#trailingEmptyMessages + 1;
    this.#trailingEmptyMessages = message.bytes === 0 ? emptyMessages : 0;
    this.#unseenBytes += message.bytes;
    return ++this.#unseenMessages >= UNSEEN_MESSAGES ||
      this.#unseenBytes >= UNSEEN_BYTES;
  }
}
