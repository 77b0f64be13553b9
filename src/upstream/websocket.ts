/** Messages over a connection that was switched to the WebSocket protocol (RFC 6455 sections 5-7, client role). */

import { UpstreamError } from "./errors.ts";
import { FrameDecoder, type Message } from "./frame_decoder.ts";
import { FrameWriter } from "./frame_writer.ts";
import { closePayload, OPCODE, ProtocolViolation } from "./frames.ts";
import type { UpgradedConnection } from "./types.ts";

/** The end of a WebSocket: the peer's Close (1005 where it had no code), or 1006 where there was none. */
export interface Close {
  readonly kind: "close";
  readonly code: number;
  readonly reason: string;
  /** Why there was no Close: a `ProtocolViolation` or an `UpstreamError`; for logs only. */
  readonly failure?: unknown;
}

/** What went through, in messages and octets of payload. */
export interface Traffic {
  readonly messagesSent: number;
  readonly bytesSent: number;
  readonly messagesReceived: number;
  readonly bytesReceived: number;
}

/** Limits of an `UpstreamWebSocket`. */
export interface WebSocketOptions {
  /** The longest message taken, in octets; default 64 MiB. A longer one ends the connection with 1009. */
  readonly maxMessageBytes?: number;
  /** How long the peer may take to answer our Close, in milliseconds; default 5000. */
  readonly closeTimeoutMs?: number;
}

const EMPTY = new Uint8Array(0);
const encoder = new TextEncoder();

function connectionLost(message: string): UpstreamError {
  return new UpstreamError("connection_lost", message);
}

function lost(failure: unknown): Close {
  return { kind: "close", code: 1006, reason: "", failure };
}

/**
 * The client's end of a WebSocket. It reads only while somebody waits in `receive()`, so back-pressure reaches the
 * peer; pings are answered meanwhile. It owns the connection and always closes it: after the closing handshake, when
 * that does not end in time, on a violation, on `abort()`.
 */
export class UpstreamWebSocket {
  readonly #connection: UpgradedConnection;
  readonly #writer: FrameWriter;
  readonly #decoder: FrameDecoder;
  readonly #closeTimeoutMs: number;
  readonly #traffic = {
    messagesSent: 0,
    bytesSent: 0,
    messagesReceived: 0,
    bytesReceived: 0,
  };
  #closeSent: Promise<void> | undefined;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;
  #end: Close | undefined;
  #ping: Uint8Array | undefined;
  #isAnsweringPings = false;

  constructor(connection: UpgradedConnection, options: WebSocketOptions = {}) {
    const { maxMessageBytes = 64 * 1024 * 1024, closeTimeoutMs = 5000 } =
      options;
    this.#connection = connection;
    this.#writer = new FrameWriter(connection);
    this.#decoder = new FrameDecoder({ maxMessageBytes });
    this.#closeTimeoutMs = closeTimeoutMs;
  }

  /** Octets of frames that the connection has not taken yet. */
  get unsentBytes(): number {
    return this.#writer.unsentBytes;
  }

  /** What was sent and received so far. */
  get traffic(): Traffic {
    return this.#traffic;
  }

  /**
   * The next message, or the end: every call after that returns the same end. Binary data is valid until the next
   * call. One call at a time; never rejects.
   */
  async receive(): Promise<Message | Close> {
    try {
      while (this.#end === undefined) {
        const event = this.#decoder.next();
        if (event === undefined) {
          const bytes = await this.#connection.read();
          if (bytes === null) return this.#lose(connectionLost("no Close"));
          this.#decoder.push(bytes);
        } else if (event.kind === "close") {
          // The peer's code is echoed (section 5.5.1), unless this is the answer to our own Close.
          this.close(event.code === 1005 ? undefined : event.code);
          this.#closeConnectionWhenSent();
          this.#end = event;
        } else if (event.kind === "ping") {
          this.#answer(event.payload.slice());
        } else if (event.kind !== "pong") {
          this.#traffic.messagesReceived++;
          this.#traffic.bytesReceived += event.bytes;
          return event;
        }
      }
      return this.#end;
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) return this.#lose(error);
      this.close(error.closeCode);
      this.#closeConnectionWhenSent();
      return this.#end = lost(error);
    }
  }

  /**
   * Sends a message; resolves when the connection has taken it. Messages arrive in the order of the calls.
   *
   * @throws {UpstreamError} If the socket is closing or the connection lost; a caller may ignore the promise.
   */
  send(data: string | Uint8Array): Promise<void> {
    if (this.#closeSent !== undefined) {
      const rejected = Promise.reject(connectionLost("WebSocket is closing"));
      rejected.catch(() => {});
      return rejected;
    }
    const isText = typeof data === "string";
    const payload = isText ? encoder.encode(data) : data;
    this.#traffic.messagesSent++;
    this.#traffic.bytesSent += payload.length;
    return this.#writer.write(isText ? OPCODE.text : OPCODE.binary, payload);
  }

  /**
   * Begins the closing handshake (RFC 6455 section 7.1.2); `receive()` goes on to the peer's answer. A peer that
   * gives none in time loses the connection. Does nothing where a Close was sent before.
   *
   * @throws {RangeError} If the code may not be sent or the reason has more than 123 octets.
   */
  close(code?: number, reason = ""): void {
    if (this.#closeSent !== undefined) return;
    this.#closeSent = this.#writer.write(
      OPCODE.close,
      closePayload(code, reason),
    );
    this.#closeTimer = setTimeout(
      () => this.#lose(connectionLost("no answer to Close")),
      this.#closeTimeoutMs,
    );
  }

  /** Closes the connection at once; `receive()` ends with 1006 where the peer's Close did not come before. */
  abort(): void {
    this.#lose(undefined);
  }

  /**
   * An unsolicited Pong (RFC 6455 section 5.5.3), unless octets are waiting anyway: it keeps the path open and lets
   * the network stack find out that the peer is gone. Unlike a Ping it asks nothing of an app that is paused.
   */
  heartbeat(): void {
    if (this.#closeSent === undefined && this.unsentBytes === 0) {
      this.#writer.write(OPCODE.pong, EMPTY);
    }
  }

  #lose(failure: unknown): Close {
    this.#closeSent ??= Promise.resolve();
    clearTimeout(this.#closeTimer);
    this.#connection.close();
    return this.#end ??= lost(failure);
  }

  #closeConnectionWhenSent(): void {
    const abort = () => this.abort();
    this.#closeSent?.then(abort, abort);
  }

  /** One Pong at a time, always to the latest Ping (RFC 6455 section 5.5.3): pings cannot fill the queue. */
  async #answer(payload: Uint8Array): Promise<void> {
    this.#ping = payload;
    if (this.#isAnsweringPings) return;
    this.#isAnsweringPings = true;
    while (this.#ping !== undefined && this.#closeSent === undefined) {
      const latest: Uint8Array = this.#ping;
      this.#ping = undefined;
      await this.#writer.write(OPCODE.pong, latest).catch(() => {});
    }
    this.#isAnsweringPings = false;
  }
}
