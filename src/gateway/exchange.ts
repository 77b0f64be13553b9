/**
 * One exchange: a request, what is learned about it on its way, its response, and its record once it is over. A handler
 * takes it from step to step, and ends with exactly one of `answer`, `refuse`, `relay` and `tunnel`.
 */
import { setImmediate } from "node:timers";
import type { OwnCookies } from "../auth/own_cookies.ts";
import type { CorsMode, SessionScope } from "../config/config.ts";
import {
  isClientGone,
  TUNNEL_CLOSES,
  tunnelEnd,
  UPLOAD_ERRORS,
} from "../downstream/ends.ts";
import { type ChunkedBody, streamed } from "../downstream/http/chunked_body.ts";
import {
  clientBody,
  clientHeaders,
  createResponse,
  type Download,
  download,
  isBodiless,
} from "../downstream/http/download.ts";
import {
  type AddressRange,
  type ClientInfo,
  isTrusted,
} from "../downstream/http/forwarded.ts";
import {
  checkHead,
  type RequestHeadLimits,
} from "../downstream/http/head_limits.ts";
import type {
  LeakedSockets,
  RiskedSocket,
} from "../downstream/http/leaked_sockets.ts";
import type { ReadSizes } from "../downstream/http/read_sizes.ts";
import {
  type RequestBody,
  requestBody,
} from "../downstream/http/request_body.ts";
import { ClientUpload } from "../downstream/http/upload.ts";
import { DownloadAccount } from "../downstream/memory/account.ts";
import type { MemoryGuard } from "../downstream/memory/guard.ts";
import { GatewayError, toGatewayError } from "../errors.ts";
import { isSentByPage, wantsDocument } from "../http/fetch_metadata.ts";
import type { Header, RequestHeaders } from "../http/headers.ts";
import type { ByteBudget } from "../lib/byte_budget.ts";
import { clientKey } from "../lib/client_key.ts";
import { describeError } from "../lib/describe_error.ts";
import { fulfilsWithin } from "../lib/fulfils_within.ts";
import type { ExchangeRecord, RouteKind } from "../observability/access_log.ts";
import type { Inspector } from "../observability/inspection/inspector.ts";
import {
  isLogged,
  logFailure,
  type Logger,
  type RequestFacts,
} from "../observability/log.ts";
import {
  type BufferKind,
  CLIENT_CLOSED_REQUEST,
} from "../observability/metrics/facts.ts";
import { OWN_ANSWER_HEADERS, problem } from "../pages/problem.ts";
import { lentBody } from "../platform/lent_body.ts";
import type { Activity } from "../proxy/activity.ts";
import {
  type CorsDecision,
  corsDecision,
  type Preflight,
  preflightHeaders,
  preflightOf,
  withCors,
} from "../proxy/cors.ts";
import type { InFlight, InFlightEntry } from "../proxy/in_flight.ts";
import type { Tunnel } from "../proxy/tunnel.ts";
import type { RemoteSettings } from "../resolver/remote_settings.ts";
import type { BodyReader } from "../upstream/http1/body_reader.ts";
import { giveBackBuffer } from "../upstream/http1/buffer_pool.ts";
import {
  discardBody,
  type UpstreamResponse,
} from "../upstream/http1/message.ts";
import { UpstreamError } from "../upstream/upstream_error.ts";
import { inspectedOf, shareOf } from "./inspected.ts";
import { Progress } from "./progress.ts";

/** The parts of the gateway that all exchanges share. */
export interface ExchangeServices {
  readonly corsMode: CorsMode;
  readonly limits: RequestHeadLimits;
  readonly trustedProxies: readonly AddressRange[];
  readonly inFlight: Pick<InFlight, "begin">;
  /** Where the use of a sandbox is reported. */
  readonly activity: Pick<Activity, "touch" | "begin">;
  readonly leakedSockets: LeakedSockets;
  readonly readSizes: Pick<ReadSizes, "largestOf" | "note">;
  readonly budget: Pick<ByteBudget<BufferKind>, "open" | "hasPlenty">;
  /** Where uploads are watched for what Deno reads of them unasked; undefined if they are not. */
  readonly memoryGuard?: Pick<MemoryGuard, "watchUpload"> | undefined;
  readonly onRecord: (record: ExchangeRecord) => void;
  /** Who watches sandboxes; undefined if that is switched off. */
  readonly inspector?: Inspector | undefined;
  readonly logger: Logger;
  readonly now: () => number;
  readonly scheme: "http" | "https";
  readonly remoteSettings: Pick<RemoteSettings, "dashboardUrl">;
  readonly cookies: OwnCookies;
  /** What the cookie of a login is for. */
  readonly sessionScope: SessionScope;
  readonly allowedOrigins: ReadonlySet<string>;
}

/** A request whose head has been parsed. */
export type IncomingRequest = Pick<
  Exchange,
  | "id"
  | "request"
  | "method"
  | "headers"
  | "authority"
  | "target"
  | "client"
  | "connection"
  | "startedAt"
  | "taken"
  | "onBodyRead"
>;

/** Who was admitted to what. */
export interface Grant {
  readonly sandboxId: string;
  /** The credential, or `public`. */
  readonly by: string;
  /** Whose limit the exchange counts against; the sandbox's unless given. */
  readonly countsAgainst?: string;
  /** What the log calls who was admitted; undefined if that is not known. */
  readonly subject?: string;
}

/**
 * Rechecks the access of a caller who was admitted: resolves to whether the caller would be admitted now, and rejects
 * with a {@linkcode GatewayError} if that cannot be determined.
 */
export type Recheck = () => Promise<boolean>;

/** The conclusion of an exchange, if there is more to say than `complete`. */
type Conclusion = Partial<
  Pick<ExchangeRecord, "end" | "reason" | "error" | "tunnel" | "sentBytes">
>;

/** One exchange of the data plane. */
export abstract class Exchange {
  readonly id: string;
  /** The Request itself, for its body and signal. */
  readonly request: Request;
  readonly method: string;
  readonly headers: RequestHeaders;
  /** `host[:port]` as received. */
  readonly authority: string;
  /** The request-target, byte for byte. */
  readonly target: string;
  readonly client: ClientInfo;
  /** The other end of the connection, `address:port`. */
  readonly connection: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Settles once the front keeps nothing of the response any more: the client has taken it, or left. */
  readonly taken: () => Promise<void>;
  /** Told the size of each part of the body that is read, bytes. */
  readonly onBodyRead: ((bytes: number) => void) | undefined;
  readonly progress: Progress;
  abstract readonly route: RouteKind;
  /** The port of the sandbox, if there is one. */
  abstract readonly port: number | undefined;

  protected readonly services: ExchangeServices;
  /** Undefined before {@linkcode Exchange.checkLimits}, and if there are too many exchanges already. */
  #entry: InFlightEntry | undefined;
  #cors: CorsDecision | undefined;
  #grant: Grant | undefined;
  #recheck: Recheck | undefined;
  #body: BodyReader | null = null;
  #upload: ClientUpload | undefined;
  #chunked: ChunkedBody | undefined;
  #downloadAccount: DownloadAccount | undefined;
  #download: Pick<Download, "abort"> | undefined;
  #contentLength: number | null = null;
  #endUse: (() => void) | undefined;
  #isFromApp = false;
  #isRecorded = false;
  /** The head of the response, if somebody watches a sandbox. */
  #responseHead: Iterable<Header> = NO_HEADERS;
  /** True if whoever watches the sandbox has been told of the exchange. */
  #isShown = false;

  constructor(incoming: IncomingRequest, services: ExchangeServices) {
    this.id = incoming.id;
    this.request = incoming.request;
    this.method = incoming.method;
    this.headers = incoming.headers;
    this.authority = incoming.authority;
    this.target = incoming.target;
    this.client = incoming.client;
    this.connection = incoming.connection;
    this.startedAt = incoming.startedAt;
    this.taken = incoming.taken;
    this.onBodyRead = incoming.onBodyRead;
    this.progress = new Progress(incoming.startedAt, services.now);
    this.services = services;
  }

  /** True if pages of an origin may use the browser's credentials. */
  protected abstract isTrustedOrigin(origin: string): boolean;

  /** The headers of an upstream's response as the client of this route gets them. */
  protected abstract responseHeaders(
    upstream: UpstreamResponse,
  ): [string, string][];

  /** True if a page of another origin sent the request, not its visitor. */
  get isSentByPage(): boolean {
    return isSentByPage(this.headers);
  }

  /** Headers of this route for answers of our own. */
  protected get ownHeaders(): [string, string][] {
    return [];
  }

  /** The base host, `host[:port]`, as the client knows it. */
  protected get baseAuthority(): string {
    return this.authority.toLowerCase();
  }

  /** The sandbox as the client has named it; undefined if there is none, or its name is a secret. */
  protected get namedSandbox(): string | undefined {
    return undefined;
  }

  /** The request-target without what is meant for the gateway. */
  protected get shownTarget(): string {
    return this.target;
  }

  /** True if the exchange counts as use of the sandbox. */
  protected get isUse(): boolean {
    return this.headers.get("x-daytona-skip-last-activity-update") !== "true";
  }

  /** The CORS policy for the response. */
  get cors(): CorsDecision {
    return this.#cors ??= corsDecision({
      mode: this.services.corsMode,
      headers: this.headers,
      isTrusted: (origin) => this.isTrustedOrigin(origin),
    });
  }

  /** The preflight that the request is; undefined if it is none, or if only the app may answer it. */
  get preflight(): Preflight | undefined {
    return this.cors.kind === "on"
      ? preflightOf(this.method, this.headers)
      : undefined;
  }

  /**
   * Counts the exchange as in flight, and checks the limits that need no lookup.
   *
   * @throws {GatewayError} `overloaded`, `client_overloaded`, or as {@linkcode checkHead}
   */
  checkLimits(): void {
    this.#entry = this.services.inFlight.begin();
    if (this.#entry === undefined) {
      throw new GatewayError("overloaded", "Too many exchanges");
    }
    if (!this.#entry.reserveForClient(clientKey(this.client.clientAddress))) {
      throw clientOverloaded("Too many exchanges of one client");
    }
    checkHead(this, this.services.limits);
  }

  /**
   * Notes who was admitted, and how to recheck that.
   *
   * @throws {GatewayError} `sandbox_overloaded`, or `overloaded` where the limit is another's
   */
  grant(grant: Grant, recheck: Recheck): void {
    this.#grant = grant;
    this.#recheck = recheck;
    const { sandboxId, countsAgainst } = grant;
    if (this.#entry?.reserveFor(countsAgainst ?? sandboxId)) return;
    // `countsAgainst` may name a client, whose address is not for the log.
    throw countsAgainst === undefined
      ? new GatewayError("sandbox_overloaded", "Limit of one sandbox")
      : new GatewayError("overloaded", "Limit of one client's build logs");
  }

  /** Who was admitted; throws `TypeError` before {@linkcode Exchange.grant}. */
  protected get granted(): Grant {
    if (this.#grant === undefined) throw new TypeError("Nobody was admitted");
    return this.#grant;
  }

  /**
   * Counts the exchange as a WebSocket.
   *
   * @throws {GatewayError} `too_many_tunnels`, or `client_overloaded` if only the client has too many
   */
  reserveTunnel(): void {
    if (!this.#entry?.reserveTunnel()) {
      throw new GatewayError("too_many_tunnels", "Too many tunnels");
    }
    if (!this.#entry.reserveTunnelForClient()) {
      throw clientOverloaded("Too many tunnels of one client");
    }
  }

  /**
   * Opens the body to forward. It ends when the caller loses access: until the response begins, nothing else would end
   * an upload. A preflight's does not, since the gateway answers where the app does not.
   *
   * @throws {GatewayError} `bad_request` as {@linkcode requestBody}; `client_overloaded` if the client has too many
   * @throws {UpstreamError} `aborted` or `body_failed` if the client has disconnected
   */
  openBody(): Promise<void> | undefined {
    const { request, headers, taken, connection } = this;
    const { readSizes } = this.services;
    const source = { taken, connection, readSizes };
    const opened = requestBody(request, headers, source);
    if (opened instanceof Promise) {
      return opened.then((body) => this.#passOn(body));
    }
    this.#passOn(opened);
    return undefined;
  }

  #passOn({ body, contentLength, chunked }: RequestBody): void {
    this.#contentLength = contentLength;
    this.#body = body;
    this.#chunked = chunked;
    if (body === null) return;
    if (contentLength === null && !this.#entry?.reserveUploadForClient()) {
      throw clientOverloaded("Too many uploads of unknown length");
    }
    // Over TLS, read_ahead.ts bounds what is kept.
    const fine = this.onBodyRead === undefined ? chunked : undefined;
    const upload = new ClientUpload(
      { body, contentLength, chunked: fine },
      this.request,
      this.onBodyRead,
    );
    this.#body = upload;
    this.#upload = upload;
    if (this.preflight !== undefined) return;
    upload.chargeTo(this.services.budget);
    this.#entry?.setHandle({
      abort: (reason) => upload.abort(reason),
      recheck: () => this.#stillHasAccess(),
    });
    if (contentLength === null) this.#watch(upload);
  }

  /** Has an upload dropped if it fills memory unseen. */
  #watch(upload: ClientUpload): void {
    upload.watchBy(
      this.services.memoryGuard,
      clientKey(this.client.clientAddress),
      () => this.#download?.abort("evicted"),
    );
  }

  /** The body to forward; null until {@linkcode Exchange.openBody}, and if there is none. */
  get body(): BodyReader | null {
    return this.#body;
  }

  /** Its announced length, bytes, which is 0 for some that have none; null if it was not announced. */
  get contentLength(): number | null {
    return this.#contentLength;
  }

  /** Aborted when the client disconnects or the upload is ended. */
  signal(): AbortSignal {
    return this.#upload?.signal ?? this.request.signal;
  }

  /**
   * Waits for a time, or until `end` is aborted.
   *
   * @throws {GatewayError} if the caller loses access, or the gateway is closing
   * @throws {UpstreamError} `aborted` if the client has disconnected
   */
  async pause(ms: number, end: AbortSignal): Promise<void> {
    const { promise: cutOff, reject } = Promise.withResolvers<never>();
    const { signal } = this.request;
    const leave = () => reject(new UpstreamError("aborted", "Client has left"));
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave);
    this.#entry?.setHandle({
      abort: (reason) =>
        reject(new GatewayError(UPLOAD_ERRORS[reason], "Ended while waiting")),
      recheck: () => this.#stillHasAccess(),
    });
    try {
      await fulfilsWithin(cutOff, ms, end);
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  /** Answers with a response of our own, whose body is complete. */
  answer(response: Response): Response {
    this.progress.onAnswer();
    const own = this.#ownResponse(response);
    this.#noteHead(own.headers);
    this.#settle(response.status, {});
    return own;
  }

  /** Answers a preflight ourselves (see cors.ts). */
  answerPreflight(preflight: Preflight): Response {
    return this.answer(
      new Response(null, {
        // If there is an upload, which has no place here, the answer must be one that can be streamed.
        status: this.#chunked === undefined ? 204 : 200,
        headers: [
          ...Object.entries(OWN_ANSWER_HEADERS),
          ...preflightHeaders(preflight, this.cors),
        ],
      }),
    );
  }

  /** Answers with the error for a failure. */
  refuse(error: unknown): Response {
    const { logger, remoteSettings, inspector, scheme } = this.services;
    const baseOrigin = `${scheme}://${this.baseAuthority}`;
    this.#isFromApp = false; // also if it could not be relayed
    this.progress.onAnswer();
    const endedBecause = this.#upload?.endedBecause;
    if (endedBecause === undefined && isClientGone(error)) {
      this.#settle(CLIENT_CLOSED_REQUEST, { end: "client_gone" });
      return new Response(null, { status: 400 });
    }
    const failure = endedBecause === undefined
      ? toGatewayError(error)
      : new GatewayError(UPLOAD_ERRORS[endedBecause], "Upload ended");
    if (isLogged(failure)) logFailure(logger, failure, this.#requestFacts());
    const response = this.#ownResponse(problem({
      code: failure.code,
      port: this.port,
      sandbox: this.namedSandbox,
      requestId: this.id,
      asPage: wantsDocument(this.headers),
      mayReload: this.method === "GET",
      retryAfterSec: failure.retryAfterSec,
      advice: failure.advice,
      docsUrl: `${baseOrigin}/docs`,
      inspectUrl: inspector && this.namedSandbox &&
        `${baseOrigin}/inspect/${this.namedSandbox}`,
      dashboardUrl: remoteSettings.dashboardUrl,
    }));
    this.#noteHead(response.headers);
    this.#settle(failure.status, { error: failure.code });
    return response;
  }

  /**
   * Answers with an upstream's response; the exchange is over once its body is.
   *
   * @throws {GatewayError} `runner_protocol_error` for a status above 599 (RFC 9110 section 15); `duplex_unavailable` if
   * it would have to be streamed beside its upload, and cannot be (see {@linkcode LeakedSockets} and chunked_body.ts)
   */
  relay(upstream: UpstreamResponse): Response {
    const { status } = upstream;
    if (status > 599) {
      discardBody(upstream.body);
      throw new GatewayError("runner_protocol_error", `Status ${status}`);
    }
    this.#isFromApp = this.route !== "inspect";
    this.progress.onAnswer();
    const relayed = this.responseHeaders(upstream);
    const body = clientBody(this.method, {
      status,
      headers: relayed,
      body: upstream.body,
    });
    const headers = this.#withOurHeaders(clientHeaders(status, relayed));
    this.#noteHead(headers);
    if (body === null || body instanceof Uint8Array) {
      if (isBodiless(status) && this.#chunked?.mayKeepMuch) {
        throw new GatewayError("duplex_unavailable", "It cannot be streamed");
      }
      const sentBytes = body?.length ?? 0;
      const isLent = body !== null && sentBytes > MAX_COPIED_BYTES;
      const response = createResponse(
        isLent ? lentBody(body) : body,
        status,
        headers,
      );
      if (showsUse(status)) this.#touch(); // 7 activity
      if (body !== null) {
        if (!isLent) giveBackBuffer(body); // the response has a copy
        this.#chargeUntilTaken();
      }
      this.#settle(status, { sentBytes });
      return response;
    }
    try {
      return createResponse(this.#stream(body, status), status, headers);
    } catch (error) {
      discardBody(body);
      throw error;
    }
  }

  /** True if something of a chunked upload may be left, and the response is no stream. */
  get leavesUpload(): boolean {
    return this.#chunked?.mayKeep === true && this.#download === undefined;
  }

  /**
   * Gives up the rest of the upload, beside which the response has to be streamed (see chunked_body.ts): not if a read
   * waits for more, since Deno keeps nothing then, and that read would be lost (see leaked_sockets.ts).
   */
  async leaveUpload(response: Response): Promise<Response> {
    const upload = this.#upload;
    const { status } = response;
    if (upload === undefined || status === 101 || isBodiless(status)) {
      return response;
    }
    upload.cancel();
    // A read of what is kept resolves without a turn of the event loop.
    const turn = new Promise<false>((resolve) =>
      setImmediate(() => resolve(false))
    );
    const isIdle = await Promise.race([upload.idle().then(() => true), turn]);
    return isIdle ? streamed(response) : response;
  }

  /** Answers with the 101 that opens `tunnel`; the exchange is over once both of its sides have closed. */
  tunnel(
    { response, tunnel }: { response: Response; tunnel: Tunnel },
  ): Response {
    this.#isFromApp = true;
    this.progress.onAnswer();
    this.#beginUse(); // 7 activity
    this.#entry?.setHandle({
      abort: (reason) => tunnel.close(...TUNNEL_CLOSES[reason]),
      recheck: () => this.#stillHasAccess(),
    });
    tunnel.released.then(() => this.#entry?.end());
    this.#noteHead(response.headers);
    this.#tell({ status: 101 });
    tunnel.closed.then(({ reason, ...facts }) => {
      const end = tunnelEnd(facts);
      if (end === "upstream_failed") {
        this.#logLateFailure("tunnel broke off", reason);
      }
      this.#record(101, {
        end,
        tunnel: facts,
        // The reason of a Close that somebody sent is the app's affair.
        reason: end === "complete" ? undefined : reason,
      });
    });
    return response;
  }

  /**
   * The body as the client's stream, whose end settles the exchange.
   *
   * @throws {GatewayError} `duplex_unavailable`
   */
  #stream(body: BodyReader, status: number): ReadableStream<Uint8Array> {
    const socket = this.#riskSocket();
    const taken = this.taken().catch(() => {}); // fails if the client leaves
    if (showsUse(status)) this.#beginUse(); // 7 activity
    const account = this.#chargeDownload();
    const { stream, ...handle } = download(body, {
      now: () => performance.now(),
      socket,
      onChunk: (chunk) => account.onChunk(chunk),
      onEnd: (end, sentBytes, cause) => {
        this.#downloadAccount = undefined;
        account.onEnd(taken);
        this.#entry?.end(taken);
        if (end === "upstream_failed" && isClientGone(cause)) {
          return this.#settle(status, { end: "client_gone", sentBytes });
        }
        const reason = cause === undefined ? undefined : describeError(cause);
        if (end === "upstream_failed") {
          this.#logLateFailure("response broke off", reason);
        }
        this.#settle(status, { end, reason, sentBytes });
      },
    });
    this.#download = handle;
    this.#tell({ status });
    this.#entry?.setHandle({
      ...handle,
      recheck: () => this.#stillHasAccess(),
    });
    return stream;
  }

  /** Whether there is memory to read so many bytes of the response at once, which is charged in that case. */
  mayRead(size: number): boolean {
    return this.#chargeDownload().mayRead(size);
  }

  /**
   * Whether to answer a body of so many bytes in one piece, which is charged in that case if it is not short. Not over
   * HTTP/2: there, `completed` resolves (Deno 2.9.6) before a client that never reads has taken anything of it.
   */
  mayGather(size: number): boolean {
    return this.headers.has("host") &&
      (size <= UNCHARGED_BYTES || this.mayRead(size));
  }

  /** Keeps a complete body charged, if it is, and its client's, until the client has taken it. */
  #chargeUntilTaken(): void {
    const account = this.#downloadAccount;
    if (account === undefined) return;
    this.#downloadAccount = undefined;
    const taken = this.taken().catch(() => {}); // fails if the client leaves
    account.onEnd(taken);
    this.#entry?.end(taken);
  }

  /** The account of the response's body, until the exchange is recorded or the body taken. */
  #chargeDownload(): DownloadAccount {
    return this.#downloadAccount ??= new DownloadAccount(
      this.services.budget,
      () => this.#download?.abort("evicted"),
    );
  }

  /**
   * Risks the client's socket if its response is to be streamed beside its upload (see {@linkcode LeakedSockets}).
   *
   * @throws {GatewayError} `duplex_unavailable`
   */
  #riskSocket(): RiskedSocket | undefined {
    const upload = this.#upload;
    if (upload?.isOpen !== true) return undefined;
    const { clientAddress } = this.client;
    const socket = this.services.leakedSockets.risk(clientAddress, upload, {
      isHttp1: this.headers.has("host"),
    });
    if (socket !== undefined) {
      // Beside its response, any upload may be read without a limit (see read_ahead.ts).
      this.#watch(upload);
      return socket;
    }
    throw new GatewayError("duplex_unavailable", "Too many sockets were lost");
  }

  async #stillHasAccess(): Promise<boolean> {
    try {
      return await this.#recheck?.() ?? true;
    } catch (error) {
      // An outage must not revoke access; a bug must not preserve it.
      if (error instanceof GatewayError) return true;
      const { logger } = this.services;
      logFailure(logger, toGatewayError(error), this.#requestFacts());
      return false;
    }
  }

  /** Logs a failure after the response began, when no error response can tell the client of it. */
  #logLateFailure(message: string, reason: string | undefined): void {
    this.services.logger.info(message, { ...this.#requestFacts(), reason });
  }

  #requestFacts(): RequestFacts {
    return {
      requestId: this.id,
      sandboxId: this.#grant?.sandboxId,
      port: this.port,
    };
  }

  /** Notes that the app has answered. */
  #touch(): void {
    if (this.#grant === undefined || !this.isUse) return;
    this.services.activity.touch(this.#grant.sandboxId);
  }

  /** Notes that the app has begun an answer that lasts, until the exchange is recorded. */
  #beginUse(): void {
    if (this.#grant === undefined || !this.isUse) return;
    this.#endUse = this.services.activity.begin(this.#grant.sandboxId);
  }

  #ownResponse({ body, status, headers }: Response): Response {
    return createResponse(
      body,
      status,
      this.#withOurHeaders([...headers, ...this.ownHeaders]),
    );
  }

  #withOurHeaders(headers: [string, string][]): [string, string][] {
    const result = withCors(headers, this.cors);
    if (this.#maySeeTiming()) {
      result.push(["server-timing", this.progress.serverTiming()]);
    }
    return result;
  }

  /** True if the client asks for timings and may see them: only from a trusted address, whose owner may read the logs. */
  #maySeeTiming(): boolean {
    const { trustedProxies } = this.services;
    return trustedProxies.length > 0 && this.headers.has("x-porthole-debug") &&
      isTrusted(this.client.clientAddress, trustedProxies);
  }

  #settle(status: number, conclusion: Conclusion): void {
    this.#entry?.end();
    this.#record(status, conclusion);
  }

  /** Records the exchange; a second call does nothing. */
  #record(status: number, conclusion: Conclusion): void {
    if (this.#isRecorded) return;
    this.#isRecorded = true;
    this.#upload?.close();
    this.#downloadAccount?.close();
    this.#endUse?.();
    const { progress } = this;
    const record: ExchangeRecord = {
      requestId: this.id,
      route: this.route,
      method: this.method,
      status,
      end: conclusion.end ?? "complete",
      isFromApp: this.#isFromApp,
      reason: conclusion.reason,
      sandboxId: this.#grant?.sandboxId,
      port: this.port,
      clientAddress: this.client.clientAddress,
      by: this.#grant?.by,
      subject: this.#grant?.subject,
      cache: progress.cache,
      error: conclusion.error,
      tunnel: conclusion.tunnel,
      receivedBytes: progress.receivedBytes,
      sentBytes: conclusion.sentBytes ?? 0,
      startedAt: this.startedAt,
      resolvedAt: progress.resolvedAt,
      answeredAt: progress.answeredAt,
      endedAt: this.services.now(),
    };
    this.services.onRecord(record);
    this.#tell(record);
  }

  /** Notes the head of the response, for whoever watches. */
  #noteHead(headers: Iterable<Header>): void {
    const { inspector } = this.services;
    if (inspector === undefined || inspector.isIdle) return;
    this.#responseHead = headers;
  }

  /** Tells whoever watches the sandbox how far the exchange has come, or counts it if there is more than is shown. */
  #tell(facts: Pick<ExchangeRecord, "status"> & Partial<ExchangeRecord>): void {
    const { inspector } = this.services;
    if (inspector === undefined || inspector.isIdle) return;
    // To who was not admitted, the sandbox is what the address names.
    const sandboxId = this.#grant?.sandboxId ?? this.namedSandbox;
    if (sandboxId === undefined || this.port === undefined) return;
    const watched = inspector.watched(sandboxId);
    if (watched === undefined) return;
    if (!this.#isShown && !watched.takes(shareOf(facts))) {
      if (facts.endedAt !== undefined) watched.leaveOut();
      return;
    }
    this.#isShown = true;
    const { progress } = this;
    watched.tell(
      inspectedOf({
        requestId: this.id,
        method: this.method,
        port: this.port,
        by: this.#grant?.by,
        receivedBytes: progress.receivedBytes,
        startedAt: this.startedAt,
        answeredAt: progress.answeredAt,
        ...facts,
        target: this.shownTarget,
        requestHeaders: this.headers,
        responseHeaders: this.#responseHead,
      }),
    );
  }
}

const NO_HEADERS: Iterable<Header> = [];

/** Up to this length, the kernel takes the whole of a response at once, bytes. */
const UNCHARGED_BYTES = 32 * 1024;

/** The copy of a longer body costs more than memory that is not used again (see lent_body.ts), bytes. */
const MAX_COPIED_BYTES = 128 * 1024;

/** Time after which a client may try again that has too much under way, seconds. */
const CLIENT_RETRY_SEC = 2;

function clientOverloaded(reason: string): GatewayError {
  return new GatewayError("client_overloaded", reason, {
    retryAfterSec: CLIENT_RETRY_SEC,
  });
}

/**
 * True if a response shows that somebody is using the sandbox. What an app rejects (4xx) does not: bots that probe for
 * paths would keep public sandboxes running forever.
 */
function showsUse(status: number): boolean {
  return status < 400 || status > 499;
}
