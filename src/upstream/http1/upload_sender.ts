import { fairTurn, UNPACED_READS } from "../../lib/fair_turn.ts";
import { freeBuffer } from "../../platform/free_buffer.ts";
import { UpstreamError } from "../upstream_error.ts";
import type { BodyReader } from "./body_reader.ts";
import type { Connection } from "./connection.ts";
import { MAX_GATHERED_BYTES } from "./gather_body.ts";
import type { UpstreamRequest } from "./message.ts";

const CRLF = new Uint8Array([0x0d, 0x0a]);
const encoder = new TextEncoder();
const LAST_CHUNK = encoder.encode("0\r\n\r\n");

/** Is told of each wait of an upload, to be able to end it if one takes too long. */
export interface UploadObserver {
  awaitingBody(): void;
  awaitingUpstream(): void;
}

/** Sends one request body: as it is if its length was declared, chunked otherwise. */
export class UploadSender {
  readonly #connection: Connection;
  readonly #body: BodyReader;
  readonly #request: Pick<UpstreamRequest, "contentLength" | "onUpload">;
  readonly #observer: UploadObserver;
  #started = false;
  #stopped = false;
  #complete = false;

  constructor(
    connection: Connection,
    body: BodyReader,
    request: Pick<UpstreamRequest, "contentLength" | "onUpload">,
    observer: UploadObserver,
  ) {
    this.#connection = connection;
    this.#body = body;
    this.#request = request;
    this.#observer = observer;
  }

  get complete(): boolean {
    return this.#complete;
  }

  /** Runs until all is sent, `stop()` or a failure; never throws. A cut body fails the connection, lest it look complete. */
  async run(): Promise<void> {
    if (this.#stopped) return;
    this.#started = true;
    try {
      await this.#send();
    } catch {
      // A write failed, but an upstream that has stopped reading may still respond: the receiving side finds out.
    } finally {
      this.stop();
    }
  }

  /** Abandons whatever has not been sent, and cancels the body unless it was never read. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    if (this.#started) this.#body.cancel();
  }

  async #send(): Promise<void> {
    const declared = this.#request.contentLength;
    const isShort = declared !== null && declared <= MAX_GATHERED_BYTES;
    let parts = 0;
    let sent = 0;
    this.#complete = declared === 0;
    for (;;) {
      if (!isShort || ++parts > UNPACED_READS) await fairTurn();
      this.#observer.awaitingBody();
      const data = await this.#read();
      if (this.#stopped) return;
      this.#observer.awaitingUpstream();
      if (data === null) break;
      const { length } = data; // 0 once the data is released
      sent += length;
      if (declared === null) {
        const framed = chunk(data);
        freeBuffer(data);
        await this.#connection.write(framed);
        freeBuffer(framed);
      } else if (sent > declared) {
        return this.#fail("request body is longer than declared");
      } else {
        await this.#connection.write(data);
        freeBuffer(data);
        // Not only at the end of the stream: the upstream may already respond.
        this.#complete = sent === declared;
      }
      this.#request.onUpload?.(length);
    }
    if (declared === null) await this.#connection.write(LAST_CHUNK);
    else if (sent < declared) {
      return this.#fail("request body is shorter than declared");
    }
    this.#complete = true;
  }

  /** The next part of the body; null at its end or if it failed. */
  async #read(): Promise<Uint8Array | null> {
    try {
      return await this.#body.read();
    } catch (cause) {
      if (!this.#stopped) this.#fail("request body failed", cause);
      return null;
    }
  }

  #fail(message: string, cause?: unknown): void {
    this.stop();
    this.#connection.fail(new UpstreamError("body_failed", message, { cause }));
  }
}

/** One chunk (RFC 9112 section 7.1) in one piece: copying the data is cheaper than three writes. */
function chunk(data: Uint8Array): Uint8Array {
  const size = encoder.encode(`${data.length.toString(16)}\r\n`);
  const framed = new Uint8Array(size.length + data.length + CRLF.length);
  framed.set(size);
  framed.set(data, size.length);
  framed.set(CRLF, size.length + data.length);
  return framed;
}
