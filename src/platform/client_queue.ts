/**
 * Deno 2.9.6, as every browser: a WebSocket has no drain event (whatwg/websockets#17), and `bufferedAmount` counts bytes
 * of payload only, although each queued message costs the runtime about 1 KiB, however short it is. To reproduce:
 *
 *     for (let count = 0; count < 1_000_000; count++) socket.send("");
 *     socket.bufferedAmount; // 0
 *
 * Instead, the queue is polled, and its messages are counted here.
 */

/** Most messages queued at once. */
const MAX_QUEUED_MESSAGES = 16 * 1024;

/** The shortest and longest pause between two polls: short at first, since a client that keeps up must not wait. */
const FIRST_POLL_MS = 1;
const LAST_POLL_MS = 100;

/** A message to send. */
export interface QueuedMessage {
  readonly data: string | Uint8Array<ArrayBuffer>;
  /** Length of its payload. */
  readonly bytes: number;
}

/**
 * The runtime's send queue for a client, as far as `bufferedAmount` shows it. Messages are written in order, so if no
 * byte is queued, no message is either, except empty ones at the end of the queue: whether those were written shows
 * only once a message that is not empty has followed them.
 */
export class ClientQueue {
  readonly #socket: WebSocket;
  readonly #highWaterMarkBytes: number;
  #sentBytes = 0;
  #queuedMessages = 0;
  #trailingEmptyMessages = 0;

  constructor(socket: WebSocket, options: { highWaterMarkBytes: number }) {
    this.#socket = socket;
    this.#highWaterMarkBytes = options.highWaterMarkBytes;
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
    const queuedBytes = this.#socket.bufferedAmount;
    if (queuedBytes === 0) this.#queuedMessages = this.#trailingEmptyMessages;
    return queuedBytes > this.#highWaterMarkBytes ||
      this.#queuedMessages >= MAX_QUEUED_MESSAGES;
  }

  /** Resolves once it is not full, or `isOver()` says that nobody cares any more. */
  async untilNotFull(isOver: () => boolean): Promise<void> {
    let pollMs = FIRST_POLL_MS;
    while (!isOver() && this.isFull) {
      await delay(pollMs);
      pollMs = Math.min(2 * pollMs, LAST_POLL_MS);
    }
  }

  /** Queues a message. */
  send(message: QueuedMessage): void {
    this.#socket.send(message.data);
    this.#sentBytes += message.bytes;
    this.#queuedMessages++;
    this.#trailingEmptyMessages = message.bytes === 0
      ? this.#trailingEmptyMessages + 1
      : 0;
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
