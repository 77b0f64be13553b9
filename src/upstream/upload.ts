import { release } from "../lib/release.ts";
import type { Connection } from "./connection.ts";
import { UpstreamError } from "./errors.ts";

const CRLF = new Uint8Array([0x0d, 0x0a]);
const LAST_CHUNK = new TextEncoder().encode("0\r\n\r\n");

/** Told what an upload waits for, so that it can be ended where that takes too long. */
export interface UploadWatch {
  /** For the next part of the body. */
  reading(): void;
  /** For the upstream to take one. */
  writing(): void;
}

/** Sends one request body: as it is where its length was announced, chunked otherwise. */
export class Upload {
  readonly #connection: Connection;
  readonly #contentLength: number | null;
  readonly #body: ReadableStream<Uint8Array>;
  readonly #onUpload: ((octets: number) => void) | undefined;
  readonly #watch: UploadWatch;
  #reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  #stopped = false;
  #complete = false;

  constructor(
    connection: Connection,
    options: {
      body: ReadableStream<Uint8Array>;
      contentLength: number | null;
      onUpload: ((octets: number) => void) | undefined;
      watch: UploadWatch;
    },
  ) {
    this.#connection = connection;
    this.#body = options.body;
    this.#contentLength = options.contentLength;
    this.#onUpload = options.onUpload;
    this.#watch = options.watch;
  }

  /** Whether the upstream was sent the whole body. */
  get complete(): boolean {
    return this.#complete;
  }

  /**
   * Runs until the body is sent, `stop()` or the connection's end, and never throws: a body that breaks or has
   * another length than announced fails the connection ("body_failed"), so that nobody takes it for whole.
   */
  async run(): Promise<void> {
    if (this.#stopped) return;
    try {
      this.#reader = this.#body.getReader();
      await this.#send(this.#reader);
    } catch (cause) {
      if (this.#reader === null) this.#fail("the request body is taken", cause);
      // Writing failed. That the upstream no longer listens does not mean that it has nothing to say: what
      // becomes of the exchange is for the receiving side to find out.
    } finally {
      this.stop();
    }
  }

  /** Gives up what has not been sent yet and cancels the source, unless it was not begun. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#reader?.cancel().catch(() => {});
  }

  async #send(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    const announced = this.#contentLength;
    let sent = 0;
    this.#complete = announced === 0;
    for (;;) {
      this.#watch.reading();
      const data = await this.#read(reader);
      if (this.#stopped) return;
      this.#watch.writing();
      if (data === null) break;
      if (data.length === 0) continue;
      const octets = data.length; // none are left once they are released
      sent += octets;
      if (announced === null) {
        const framed = chunk(data);
        release(data);
        await this.#connection.write(framed);
        release(framed);
      } else {
        if (sent > announced) {
          return this.#fail("the request body is longer than announced");
        }
        await this.#connection.write(data);
        release(data);
        // Not only at the stream's end: the upstream can answer from here on.
        this.#complete = sent === announced;
      }
      this.#onUpload?.(octets);
    }
    if (announced === null) await this.#connection.write(LAST_CHUNK);
    else if (sent < announced) {
      return this.#fail("the request body is shorter than announced");
    }
    this.#complete = true;
  }

  /** The next part of the body, null at its end or where it broke. */
  async #read(
    reader: ReadableStreamDefaultReader<Uint8Array>,
  ): Promise<Uint8Array | null> {
    try {
      const { done, value } = await reader.read();
      return done ? null : value;
    } catch (cause) {
      if (!this.#stopped) this.#fail("the request body broke", cause);
      return null;
    }
  }

  #fail(message: string, cause?: unknown): void {
    this.stop();
    this.#connection.fail(new UpstreamError("body_failed", message, { cause }));
  }
}

/** One chunk (RFC 9112 section 7.1) as one piece: a copy is cheaper than three writes. */
function chunk(data: Uint8Array): Uint8Array {
  const size = new TextEncoder().encode(`${data.length.toString(16)}\r\n`);
  const framed = new Uint8Array(size.length + data.length + CRLF.length);
  framed.set(size);
  framed.set(data, size.length);
  framed.set(CRLF, size.length + data.length);
  return framed;
}
