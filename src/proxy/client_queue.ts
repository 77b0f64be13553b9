import type { Message } from "../upstream/frame_decoder.ts";

/** Messages that may wait at once: each costs the runtime about 1 KiB, however short it is. */
const MAX_WAITING_MESSAGES = 16 * 1024;

/**
 * What waits in the runtime for a client, as far as `bufferedAmount` tells: that counts octets, not messages. Since
 * messages are written in order, none waits where no octet does, but for the empty ones that were sent last; of those
 * nothing is ever known until another follows that is not empty.
 */
export class ClientQueue {
  readonly #socket: WebSocket;
  readonly #highWaterMarkBytes: number;
  #sentBytes = 0;
  #waitingMessages = 0;
  #lastEmptyMessages = 0;

  constructor(socket: WebSocket, options: { highWaterMarkBytes: number }) {
    this.#socket = socket;
    this.#highWaterMarkBytes = options.highWaterMarkBytes;
  }

  /** Octets of payload that the client's connection has taken. */
  get takenBytes(): number {
    return this.#sentBytes - this.#socket.bufferedAmount;
  }

  /** Whether anything waits that the connection is known not to have taken. */
  get isWaiting(): boolean {
    return this.isFull || this.#socket.bufferedAmount > 0;
  }

  /** Whether no more should be sent for now: too many octets, or possibly too many messages, wait. */
  get isFull(): boolean {
    const waitingBytes = this.#socket.bufferedAmount;
    if (waitingBytes === 0) this.#waitingMessages = this.#lastEmptyMessages;
    return waitingBytes > this.#highWaterMarkBytes ||
      this.#waitingMessages >= MAX_WAITING_MESSAGES;
  }

  /** Sends a message without waiting. */
  send(message: Message): void {
    this.#socket.send(message.data);
    this.#sentBytes += message.bytes;
    this.#waitingMessages++;
    this.#lastEmptyMessages = message.bytes === 0
      ? this.#lastEmptyMessages + 1
      : 0;
  }
}
