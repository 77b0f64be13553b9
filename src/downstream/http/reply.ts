/** The client's half of an exchange: its body, and the response. They share a connection, so each regards the other. */
import { GatewayError } from "../../errors.ts";
import {
  type HeaderList,
  type RequestHeaders,
  withoutHeader,
} from "../../http/headers.ts";
import { clientKey } from "../../lib/client_key.ts";
import type { BufferKind } from "../../observability/metrics/facts.ts";
import { lentBody } from "../../platform/lent_body.ts";
import type { BodyReader, Bytes } from "../../stream/body_reader.ts";
import { giveBackBuffer } from "../../stream/buffer_pool.ts";
import type { ByteBudget } from "../../stream/byte_budget.ts";
import { discardBody } from "../../stream/response_body.ts";
import type { AbortReason } from "../ends.ts";
import { DownloadAccount } from "../memory/account.ts";
import type { MemoryGuard } from "../memory/guard.ts";
import { type Download, download, type StreamEnd } from "./download.ts";
import type { LeakedSockets, RiskedSocket } from "./leaked_sockets.ts";
import { type AnsweredRequest, ownAnswer } from "./own_answer.ts";
import type { ReadSizes } from "./read_sizes.ts";
import { type RequestBody, requestBody } from "./request_body.ts";
import { createResponse, finishBeside, isBodiless } from "./response.ts";
import { finishUnread } from "./unread_body.ts";
import type { UntakenAnswers } from "./untaken.ts";
import { Upload } from "./upload.ts";

/** What all clients share. */
export interface ClientLeg {
  readonly leakedSockets: Pick<LeakedSockets, "risk">;
  readonly readSizes: ReadSizes;
  readonly budget: Pick<ByteBudget<BufferKind>, "open" | "hasPlenty">;
  readonly untaken: Pick<UntakenAnswers, "watch" | "admit" | "isFull">;
  /** Where uploads are watched for what Deno reads of them unasked; undefined if they are not. */
  readonly memoryGuard?:
    | Pick<MemoryGuard, "watch" | "mostPerClient">
    | undefined;
}

export interface RepliedRequest extends AnsweredRequest {
  /** The Request itself, for its body and signal. */
  readonly request: Request;
  readonly headers: RequestHeaders;
  /** The other end of the connection, `address:port`. */
  readonly connection: string;
  /** Told the size of each part of the body that is read, bytes: over TLS, what is kept of it is bounded by that. */
  readonly onBodyRead: ((bytes: number) => void) | undefined;
}

interface WholeReply {
  readonly response: Response;
  /** Settles once the client has taken what is charged for it; undefined if nothing is. */
  readonly delivered: Promise<void> | undefined;
}

/**
 * Up to this length, the kernel takes the whole of a response at once, and a copy of it costs less to collect than to lend
 * the body, bytes.
 */
const SHORT_BYTES = 32 * 1024;

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

  /** Whether to answer a body of so many bytes in one piece, charged unless it is short. */
  mayGather(size: number): boolean {
    return size <= SHORT_BYTES || this.mayRead(size);
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
    const { isHttp2 } = this.#request;
    const isShort = body.length <= SHORT_BYTES;
    if (!isShort && this.#account === undefined) this.#charge().onChunk(body);
    // Over HTTP/2, only the end of a stream tells that a client has taken it (Deno 2.9.6).
    const sent = isShort
      ? isHttp2 && body.length > 0 ? lentBody(body.slice()) : body
      : lentBody(body);
    const response = createResponse(sent, status, headers);
    if (isShort) giveBackBuffer(body); // the response has a copy
    return { response, delivered: this.#whenTaken(sent !== body) };
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
    const isHttp1 = !this.#request.isHttp2;
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

  /** An answer of the gateway's own, in one piece. */
  answer(response: Response): Response | Promise<Response> {
    return this.finish(ownAnswer(response, this.#request, this.#leg.untaken));
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
      () => {
        if (this.#download) this.#download.abort("evicted");
        else this.#request.socket?.close();
      },
      this.#client,
    );
  }

  /** Keeps a complete body charged, if it is, until the client has taken it, and that counted, if it can be told. */
  #whenTaken(canBeTold: boolean): Promise<void> | undefined {
    if (!canBeTold) return undefined;
    const delivered = this.#delivered();
    this.#account?.onEnd(delivered);
    this.#account = undefined;
    const { socket } = this.#request;
    if (socket !== undefined) {
      this.#leg.untaken.watch({ client: this.#client, delivered, socket });
    }
    return delivered;
  }

  #delivered(): Promise<void> {
    return this.#request.delivered().catch(() => {}); // fails if the client leaves
  }
}
