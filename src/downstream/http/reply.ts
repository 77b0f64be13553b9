/** The client's half of an exchange: its body, and the response. They share a connection, so each regards the other. */
import { GatewayError } from "../../errors.ts";
import {
  type HeaderList,
  type RequestHeaders,
  withoutHeader,
} from "../../http/headers.ts";
import type { ByteBudget } from "../../lib/byte_budget.ts";
import { clientKey } from "../../lib/client_key.ts";
import type { BufferKind } from "../../observability/metrics/facts.ts";
import { freedCopy } from "../../platform/freed_copy.ts";
import { lentBody } from "../../platform/lent_body.ts";
import type { BodyReader, Bytes } from "../../upstream/http1/body_reader.ts";
import { giveBackBuffer } from "../../upstream/http1/buffer_pool.ts";
import { discardBody } from "../../upstream/http1/message.ts";
import type { AbortReason } from "../ends.ts";
import { DownloadAccount } from "../memory/account.ts";
import type { MemoryGuard } from "../memory/guard.ts";
import { type Download, download, type StreamEnd } from "./download.ts";
import type { LeakedSockets, RiskedSocket } from "./leaked_sockets.ts";
import type { ReadSizes } from "./read_sizes.ts";
import { type RequestBody, requestBody } from "./request_body.ts";
import { createResponse, finishBeside, isBodiless } from "./response.ts";
import { finishUnread } from "./unread_body.ts";
import { Upload } from "./upload.ts";

/** What all clients share. */
export interface ClientLeg {
  readonly leakedSockets: Pick<LeakedSockets, "risk">;
  readonly readSizes: ReadSizes;
  readonly budget: Pick<ByteBudget<BufferKind>, "open" | "hasPlenty">;
  /** Where uploads are watched for what Deno reads of them unasked; undefined if they are not. */
  readonly memoryGuard?:
    | Pick<MemoryGuard, "watch" | "mostPerClient">
    | undefined;
}

export interface RepliedRequest {
  /** The Request itself, for its body and signal. */
  readonly request: Request;
  readonly headers: RequestHeaders;
  readonly client: { readonly clientAddress: string };
  /** The other end of the connection, `address:port`. */
  readonly connection: string;
  /** Settles once the front keeps nothing of the response any more: the client has taken it, or left. */
  readonly delivered: () => Promise<void>;
  /** Told the size of each part of the body that is read, bytes: over TLS, what is kept of it is bounded by that. */
  readonly onBodyRead: ((bytes: number) => void) | undefined;
}

export interface WholeReply {
  readonly response: Response;
  /** Settles once the client has taken what is charged for it; undefined if nothing is. */
  readonly delivered: Promise<void> | undefined;
}

/** Up to this length, the kernel takes the whole of a response at once, bytes. */
const UNCHARGED_BYTES = 32 * 1024;

/** The copy of a shorter body costs less to collect than to free (see freed_copy.ts), or than to lend the body, bytes. */
const MAX_COLLECTED_BYTES = 32 * 1024;

/** Over HTTP/2, the copy of a longer body costs more than memory that is not used again (see lent_body.ts), bytes. */
const MAX_COPIED_BYTES = 128 * 1024;

export class Reply {
  readonly #request: RepliedRequest;
  readonly #leg: ClientLeg;
  #upload: Upload | null = null;
  #contentLength: number | null = null;
  #account: DownloadAccount | undefined;
  #download: Download | undefined;

  constructor(request: RepliedRequest, leg: ClientLeg) {
    this.#request = request;
    this.#leg = leg;
  }

  /** The client's body; null until {@linkcode Reply.openUpload}, and if there is none. */
  get upload(): Upload | null {
    return this.#upload;
  }

  /** Its announced length, bytes, which is 0 for some that have none; null if it was not announced. */
  get contentLength(): number | null {
    return this.#contentLength;
  }

  /** Opens the client's body: only over HTTP/2 without framing does that take time. Throws as {@linkcode requestBody}. */
  openUpload(): Promise<void> | undefined {
    const { request, headers, delivered, connection } = this.#request;
    const source = { delivered, connection, readSizes: this.#leg.readSizes };
    const opened = requestBody(request, headers, source);
    if (opened instanceof Promise) return opened.then((it) => this.#use(it));
    this.#use(opened);
    return undefined;
  }

  #use({ body, contentLength }: RequestBody): void {
    this.#contentLength = contentLength;
    if (body === null) return;
    const { request, headers, onBodyRead: onRead } = this.#request;
    const isAwaited = headers.has("expect");
    const source = { body, contentLength, request, isAwaited, onRead };
    this.#upload = new Upload(source, () => this.#download?.abort("evicted"));
  }

  /** Charges for the client's body, and has it dropped if it fills memory unseen, as one in chunks can. */
  superviseUpload(): void {
    this.#upload?.chargeTo(this.#leg.budget, this.#client);
    if (this.#contentLength === null) this.#watchUpload();
  }

  #watchUpload(): void {
    this.#upload?.watchBy(this.#leg.memoryGuard, this.#client);
  }

  get #client(): string {
    return clientKey(this.#request.client.clientAddress);
  }

  /** How many WebSockets, or uploads of unknown length, a client may have now; undefined if memory sets no limit. */
  get mostPerClient(): number | undefined {
    return this.#leg.memoryGuard?.mostPerClient;
  }

  /** Aborted when the client disconnects or its body fails. */
  signal(): AbortSignal {
    return this.#upload?.signal ?? this.#request.request.signal;
  }

  /** Whether there is memory to read so many bytes of the response at once, which is charged in that case. */
  mayRead(size: number): boolean {
    return this.#charge().mayRead(size);
  }

  /**
   * Whether to answer a body of so many bytes in one piece, charged unless it is short. Not over HTTP/2: there,
   * `completed` resolves (Deno 2.9.6) before a client that never reads has taken anything of it.
   */
  mayGather(size: number): boolean {
    return this.#isHttp1 && (size <= UNCHARGED_BYTES || this.mayRead(size));
  }

  /** HTTP/1.0 need have no Host; HTTP/2 may have one, and what is charged then is lent: its `completed` is right. */
  get #isHttp1(): boolean {
    return this.#request.headers.has("host");
  }

  /** The response with a complete body, which is taken over, or none; throws `duplex_unavailable`. */
  whole(body: Bytes | null, status: number, headers: HeaderList): WholeReply {
    if (isBodiless(status) && this.#upload?.left === "much") {
      throw new GatewayError("duplex_unavailable", "It cannot be streamed");
    }
    if (body === null) {
      const response = createResponse(null, status, headers);
      return { response, delivered: undefined };
    }
    const { length } = body;
    const isLent = length >
      (this.#isHttp1 ? MAX_COLLECTED_BYTES : MAX_COPIED_BYTES);
    const sent = isLent
      ? lentBody(body)
      : length > MAX_COLLECTED_BYTES
      ? freedCopy(body, this.#request.delivered())
      : body;
    const response = createResponse(sent, status, headers);
    if (!isLent) giveBackBuffer(body); // the response has a copy
    return { response, delivered: this.#chargeUntilDelivered() };
  }

  /** The response with a body on its way; `onEnd` is told how it ends; throws `duplex_unavailable`. */
  stream(
    body: BodyReader,
    status: number,
    headers: HeaderList,
    onEnd: (delivered: Promise<void>, end: StreamEnd) => void,
  ): Response {
    try {
      const socket = this.#riskSocket();
      const account = this.#charge();
      const delivered = this.#delivered();
      const { stream } = this.#download = download(body, {
        now: () => performance.now(),
        socket,
        onChunk: (chunk) => account.onChunk(chunk),
        onEnd: (end) => {
          this.#account = undefined;
          account.onEnd(delivered);
          onEnd(delivered, end);
        },
      });
      return createResponse(
        stream,
        status,
        // What may have to be completed early announces no length (see leaked_sockets.ts).
        socket !== undefined && this.#upload?.isChunked
          ? withoutHeader(headers, "content-length")
          : headers,
      );
    } catch (error) {
      discardBody(body);
      throw error;
    }
  }

  /** Risks the client's socket to stream a response beside its upload; throws `duplex_unavailable`. */
  #riskSocket(): RiskedSocket | undefined {
    const upload = this.#upload;
    if (upload === null || !upload.isOpen) return undefined;
    const { clientAddress } = this.#request.client;
    const isHttp1 = this.#isHttp1;
    const { leakedSockets } = this.#leg;
    const socket = leakedSockets.risk(clientAddress, upload, { isHttp1 });
    if (socket === undefined) {
      const message = "Too many sockets were lost";
      throw new GatewayError("duplex_unavailable", message);
    }
    // Beside its response, any upload may be read without a limit (see tls/read_ahead.ts).
    this.#watchUpload();
    return socket;
  }

  /** The last step of a response in one piece. */
  finish(response: Response): Response | Promise<Response> {
    const upload = this.#upload;
    const mayStream = response.status !== 101 && !isBodiless(response.status);
    if (upload !== null && upload.left !== "nothing" && mayStream) {
      return finishBeside(upload, response);
    }
    upload?.giveUp();
    return finishUnread(this.#request, this.#leg.readSizes, response);
  }

  /** Ends the transfer from our side: the response if it has begun, otherwise the upload. */
  abort(reason: AbortReason): void {
    if (this.#download === undefined) this.#upload?.fail(reason);
    else this.#download.abort(reason);
  }

  /** Since when the client has not read what is ready for it, ms by `performance.now()`; undefined if nothing is. */
  stalledSince(): number | undefined {
    return this.#download?.stalledSince();
  }

  /** The exchange is over: nothing is charged or watched any more, but for what the client has yet to take. */
  close(): void {
    this.#upload?.close();
    this.#account?.close();
  }

  #charge(): DownloadAccount {
    return this.#account ??= new DownloadAccount(
      this.#leg.budget,
      () => this.#download?.abort("evicted"),
      this.#client,
    );
  }

  /** Keeps a complete body charged, if it is, until the client has taken it. */
  #chargeUntilDelivered(): Promise<void> | undefined {
    const account = this.#account;
    if (account === undefined) return undefined;
    this.#account = undefined;
    const delivered = this.#delivered();
    account.onEnd(delivered);
    return delivered;
  }

  #delivered(): Promise<void> {
    return this.#request.delivered().catch(() => {}); // fails if the client leaves
  }
}
