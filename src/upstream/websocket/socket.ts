/** Messages over a connection that has switched to the WebSocket protocol (RFC 6455 sections 5-7, as a client). */
import { describeError } from "../../lib/describe_error.ts";
import { fairTurn } from "../../lib/fair_turn.ts";
import { createFloodGauge } from "../../lib/flood_gauge.ts";
import type { TunnelFacts } from "../../observability/metrics/facts.ts";
import type { UpgradedConnection } from "../http1/upgraded_connection.ts";
import {
  type Close,
  type DecoderLimits,
  FrameDecoder,
  type Message,
} from "./frame_decoder.ts";
import { FrameWriter } from "./frame_writer.ts";
import { closePayload, OPCODE, ProtocolViolation } from "./frames.ts";

/** The longest message accepted unless given; a longer one fails the connection with 1009. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** A message that has begun to arrive must grow by as much from one heartbeat to the next. */
const MIN_PROGRESS_BYTES = 16 * 1024;

/** The time that the peer may take to answer our Close frame. */
const CLOSE_TIMEOUT_MS = 5000;

/** Most control frames and empty fragments within a second, many times what any app sends. */
const EMPTY_FRAMES_PER_SECOND = 4096;

/** A read may bring 131,072 frames: fairness is looked after again after so many of them. */
const FRAMES_PER_LOOK = 32;

const EMPTY = new Uint8Array(0);
const encoder = new TextEncoder();

function abnormalClosure(reason: string): Close {
  return { kind: "close", code: 1006, reason };
}

/**
 * The client's end of a WebSocket. It reads only while a `receive()` is pending, so that back-pressure reaches the
 * peer; pings are answered meanwhile. It owns the connection and always closes it: after the closing handshake, if that
 * times out, on a protocol violation, and on `abort()`.
 */
export class UpstreamWebSocket {
  readonly #connection: UpgradedConnection;
  readonly #writer: FrameWriter;
  #decoder = new FrameDecoder({ maxMessageBytes: MAX_MESSAGE_BYTES });
  readonly #traffic = {
    messagesSent: 0,
    bytesSent: 0,
    messagesReceived: 0,
    bytesReceived: 0,
  };
  readonly #isFlood: () => boolean;
  #frames = 0;
  #closeSent: Promise<void> | undefined;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;
  #end: Close | undefined;
  #ping: Uint8Array | undefined;
  #isAnsweringPings = false;
  #charge: DecoderLimits["charge"];
  #isReceiving = false;
  /** How much of a message had arrived at the last heartbeat; undefined if the same `receive()` was not waiting then. */
  #arrivedBefore: number | undefined;

  constructor(connection: UpgradedConnection, now?: () => number) {
    this.#connection = connection;
    const charge = (bytes: number) => this.#charge?.(bytes);
    this.#writer = new FrameWriter(connection, charge);
    this.#isFlood = createFloodGauge(EMPTY_FRAMES_PER_SECOND, now);
  }

  /** Limits and charges what is buffered in both directions; to be called before anything is sent or received. */
  limitMemory({ maxMessageBytes, charge }: Required<DecoderLimits>): void {
    this.#charge = charge;
    const chargeNow = (bytes: number) => this.#charge?.(bytes) ?? true;
    this.#decoder = new FrameDecoder({ maxMessageBytes, charge: chargeNow });
  }

  /** The memory kept for a message that has not arrived completely, bytes. */
  get unfinishedBytes(): number {
    return this.#decoder.keptBytes;
  }

  get unsentBytes(): number {
    return this.#writer.unsentBytes;
  }

  /** The messages sent and received so far, and the bytes of their payloads. */
  get traffic(): Omit<TunnelFacts, "by" | "code"> {
    return this.#traffic;
  }

  /**
   * The next message, or the end, which every later call returns again: the peer's Close frame; 1008 or 1009 if the
   * peer went beyond a limit of ours; or code 1006 and the reason why there was none, for logs only. Binary data is valid until the next call. One call at a time; never
   * rejects.
   */
  async receive(): Promise<Message | Close> {
    this.#isReceiving = true;
    this.#arrivedBefore = undefined;
    try {
      while (this.#end === undefined) {
        if (++this.#frames % FRAMES_PER_LOOK === 0) await fairTurn();
        const event = this.#decoder.next();
        if (event === undefined) {
          const bytes = await this.#connection.read();
          if (bytes === null) {
            return this.#drop("connection ended without a Close frame");
          }
          this.#decoder.push(bytes);
        } else if (event.kind === "close") {
          // Echoes the peer's code (section 5.5.1), unless this is the answer to our own Close.
          this.close(event.code === 1005 ? undefined : event.code);
          this.#closeConnectionWhenSent();
          this.#end = event;
        } else if (event.kind === "fragment") {
          if (event.isEmpty) this.#countEmptyFrame();
        } else if (event.kind === "ping") {
          this.#countEmptyFrame();
          this.#answerPing(event.payload.slice());
        } else if (event.kind === "pong") {
          this.#countEmptyFrame();
        } else {
          this.#traffic.messagesReceived++;
          this.#traffic.bytesReceived += event.bytes;
          this.#isReceiving = false;
          return event;
        }
      }
      return this.#end;
    } catch (error) {
      const reason = describeError(error);
      if (!(error instanceof ProtocolViolation)) return this.#drop(reason);
      return this.#fail(error.closeCode, reason);
    } finally {
      // An incomplete message may be long, and the garbage collector is in no hurry.
      if (this.#end !== undefined) this.#decoder.clear();
    }
  }

  /** Sends a message after those of earlier calls; drops it if the socket is closing or has ended, or a write has failed. */
  send(data: string | Uint8Array): void {
    if (this.#closeSent !== undefined) return;
    const isText = typeof data === "string";
    const payload = isText ? encoder.encode(data) : data;
    this.#traffic.messagesSent++;
    this.#traffic.bytesSent += payload.length;
    this.#writer.write(isText ? OPCODE.text : OPCODE.binary, payload);
  }

  /**
   * Starts the closing handshake (RFC 6455 section 7.1.2), unless it has begun: `receive()` goes on until the answer, or
   * its timeout. @throws {RangeError} If the code must not be sent, or the reason is longer than 123 bytes.
   */
  close(code?: number, reason = ""): void {
    if (this.#closeSent !== undefined) return;
    this.#writer.write(OPCODE.close, closePayload(code, reason));
    this.#closeSent = this.#writer.flushed();
    const giveUp = () => this.#drop("Close frame was not answered");
    this.#closeTimer = setTimeout(giveUp, CLOSE_TIMEOUT_MS);
  }

  /** Closes the connection at once; `receive()` ends with 1006 unless the peer's Close frame came before. */
  abort(): void {
    this.#drop("aborted");
  }

  /** Lets go of all that is buffered: sends a Close unless other bytes would come before it, and closes the connection. */
  evict(code: number, reason: string): void {
    this.#decoder.clear();
    this.#charge?.(-this.unsentBytes);
    this.#charge = undefined;
    if (this.unsentBytes > 0) this.#drop(reason);
    else this.#fail(code, reason);
  }

  /**
   * To be called every half a minute: fails the connection with 1008 if a message has begun to arrive, but hardly goes
   * on. Otherwise it sends an unsolicited Pong (RFC 6455 section 5.5.3) unless bytes are queued anyway: that keeps
   * middleboxes from timing out, lets the network stack notice that the peer is gone, and needs no answer of the app.
   */
  heartbeat(): void {
    if (this.#isStuck()) this.#fail(1008, "message does not go on");
    if (this.#closeSent === undefined && this.unsentBytes === 0) {
      this.#writer.write(OPCODE.pong, EMPTY);
    }
  }

  /** True if one `receive()` has waited since the last heartbeat for the same message, almost in vain. */
  #isStuck(): boolean {
    const { arrivedBytes } = this.#decoder;
    const before = this.#arrivedBefore;
    const isWaiting = this.#isReceiving && arrivedBytes > 0;
    this.#arrivedBefore = isWaiting ? arrivedBytes : undefined;
    return isWaiting && before !== undefined &&
      arrivedBytes < before + MIN_PROGRESS_BYTES;
  }

  /** @throws {ProtocolViolation} 1008 for a flood: each takes two bytes to send, and as much work as a message. */
  #countEmptyFrame(): void {
    if (!this.#isFlood()) return;
    throw new ProtocolViolation(1008, "Too many frames without a message");
  }

  /** Fails the connection (RFC 6455 section 7.1.7). */
  #fail(code: number, reason: string): Close {
    this.close(code);
    this.#closeConnectionWhenSent();
    return this.#end ??= code === 1008 || code === 1009
      ? { kind: "close", code, reason, isOurs: true }
      : abnormalClosure(reason);
  }

  #drop(reason: string): Close {
    this.#closeSent ??= Promise.resolve();
    clearTimeout(this.#closeTimer);
    this.#connection.close();
    return this.#end ??= abnormalClosure(reason);
  }

  #closeConnectionWhenSent(): void {
    this.#closeSent?.then(() => this.abort());
  }

  /** Sends one Pong at a time, for the latest Ping (RFC 6455 section 5.5.3): pings cannot fill the queue. */
  async #answerPing(payload: Uint8Array): Promise<void> {
    this.#ping = payload;
    if (this.#isAnsweringPings) return;
    this.#isAnsweringPings = true;
    while (this.#ping !== undefined && this.#closeSent === undefined) {
      const latest: Uint8Array = this.#ping;
      this.#ping = undefined;
      this.#writer.write(OPCODE.pong, latest);
      await this.#writer.flushed();
    }
    this.#isAnsweringPings = false;
  }
}
