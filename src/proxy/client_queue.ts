import type { Message } from "../upstream/websocket/frame_decoder.ts";

/** Most messages queued at once: each costs the runtime about 1 KiB, however short it is. */
const MAX_QUEUED_MESSAGES = 16 * 1024;

/**
 * The runtime's send queue for a client, as far as `bufferedAmount` shows it: that counts bytes, not messages.
 * Messages are written in order, so if no byte is queued, no message is either, except empty ones at the end of the
 * queue: whether those were written shows only once a message that is not empty has followed them.
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

  /** Queues a message. */
  send(message: Message): void {
    this.#socket.send(message.data);
    this.#sentBytes += message.bytes;
    this.#queuedMessages++;
    this.#trailingEmptyMessages = message.bytes === 0
      ? this.#trailingEmptyMessages + 1
      : 0;
  }
}
