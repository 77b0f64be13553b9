/**
 * One exchange: a request, who was admitted to what, and its record once it is over. A handler takes it from step to
 * step, and ends with exactly one of `answer`, `refuse`, `relay` and `tunnel`. The client's leg is its `reply`.
 */
import {
  CLIENT_CLOSED_REQUEST,
  isClientGone,
  MOVED,
  TUNNEL_CLOSES,
  tunnelEnd,
  UPLOAD_ERRORS,
} from "../downstream/ends.ts";
import { checkHead } from "../downstream/http/head_limits.ts";
import { Reply } from "../downstream/http/reply.ts";
import {
  clientBody,
  clientHeaders,
  createResponse,
} from "../downstream/http/response.ts";
import { GatewayError, toGatewayError } from "../errors.ts";
import type { Header } from "../http/headers.ts";
import type { ExchangeRecord, RouteKind } from "../observability/access_log.ts";
import {
  isLogged,
  logFailure,
  type RequestFacts,
} from "../observability/log.ts";
import { dressed } from "../pages/brand.ts";
import type { InFlightEntry } from "../proxy/in_flight_entry.ts";
import { forSharedCaches } from "../proxy/shared_caches.ts";
import type { Served, StreamHandle } from "../proxy/stream_handle.ts";
import type { Tunnel } from "../proxy/tunnel.ts";
import type { Destination } from "../resolver/destination.ts";
import { discardBody } from "../stream/response_body.ts";
import type { UpstreamResponse } from "../upstream/http1/message.ts";
import { problemFor, withOurHeaders } from "./own_response.ts";
import {
  type ExchangeServices,
  type IncomingRequest,
  ReceivedRequest,
} from "./received_request.ts";
import { type Conclusion, type Guest, Progress, recordOf } from "./record.ts";

/** True if who was admitted would be admitted now; rejects with a `GatewayError` if nobody can tell. */
type Recheck = () => Promise<boolean>;

/** One exchange of the data plane. */
export abstract class Exchange extends ReceivedRequest {
  abstract readonly route: RouteKind;
  /** The port of the sandbox, if there is one. */
  abstract readonly port: number | undefined;
  readonly progress: Progress;
  readonly reply: Reply;
  /** Undefined before {@linkcode Exchange.checkLimits}, and if there are too many exchanges already. */
  #entry: InFlightEntry | undefined;
  #guest: Guest | undefined;
  #recheck: Recheck | undefined;
  #endUse: (() => void) | undefined;
  #atEnd: (() => void)[] | undefined;
  #isFromApp = false;
  #isRecorded = false;
  /** The head of the response, if anybody sees exchanges. */
  #responseHead: Iterable<Header> | undefined;

  constructor(incoming: IncomingRequest, services: ExchangeServices) {
    super(incoming, services);
    this.progress = new Progress(incoming.startedAt, services.now);
    this.reply = new Reply(incoming, services.clientLeg);
  }

  /** The headers of an upstream's response as the client of this route gets them. */
  protected abstract responseHeaders(
    upstream: UpstreamResponse,
  ): [string, string][];

  /** Headers of this route for answers of our own. */
  protected get ownHeaders(): [string, string][] {
    return [];
  }

  /** True if what an upstream answers is an app's. */
  protected get hasApp(): boolean {
    return true;
  }

  /** True if anybody gets what this visitor does. */
  protected get isForAnybody(): boolean {
    return this.granted.by === "public";
  }

  /** True if the exchange counts as use of the sandbox. */
  protected get isUse(): boolean {
    return this.headers.get("x-daytona-skip-last-activity-update") !== "true";
  }

  /**
   * Counts the exchange as in flight, and checks the limits that need no lookup.
   * @throws {GatewayError} `overloaded`, `client_overloaded`, or as {@linkcode checkHead}
   */
  checkLimits(): void {
    this.#entry = this.services.inFlight.begin();
    if (this.#entry === undefined) {
      throw new GatewayError("overloaded", "Too many exchanges");
    }
    if (!this.#entry.reserveForClient(this.client.clientAddress)) {
      throw new GatewayError(
        "client_overloaded",
        "Too many exchanges of one client",
      );
    }
    checkHead(this, this.services.limits);
  }

  /**
   * Notes who was admitted, and how to recheck that.
   * @throws {GatewayError} `sandbox_overloaded`, `overloaded` where the limit is another's, or what a feature forbids by
   */
  grant(guest: Guest, recheck: Recheck): void {
    this.#guest = guest;
    this.#recheck = recheck;
    this.#checkServed();
    const { sandboxId, countsAgainst } = guest;
    if (this.#entry?.reserveFor(countsAgainst ?? sandboxId)) return;
    if (countsAgainst === undefined) {
      throw new GatewayError("sandbox_overloaded", "Limit of one sandbox");
    }
    // What follows may be a client's address, which is not for the log.
    const [what] = countsAgainst.split(":");
    throw new GatewayError("overloaded", `Limit of one: ${what}`);
  }

  /**
   * Notes where the request goes: what was known of a name when it was admitted may have been old.
   * @throws {GatewayError} `organization_overloaded`, or what a feature forbids by
   */
  onResolved({ sandboxId, organizationId }: Destination): void {
    if (sandboxId !== undefined) this.#guest = { ...this.granted, sandboxId };
    this.progress.organizationId = organizationId;
    this.#checkServed();
    const isFull = organizationId !== undefined &&
      this.#entry?.reserveForOrganization(organizationId) === false;
    if (isFull) {
      throw new GatewayError("organization_overloaded", organizationId);
    }
    this.progress.onResolved();
  }

  /** What of a sandbox it is about; undefined if nothing that its app or daemon serves. */
  protected get served(): Served | undefined {
    return undefined;
  }

  #checkServed(): void {
    const { forbid } = this.services;
    const served = forbid && this.served;
    if (served !== undefined) forbid?.(served);
  }

  /** Who was admitted; throws `TypeError` before {@linkcode Exchange.grant}. */
  protected get granted(): Guest {
    if (this.#guest === undefined) {
      throw new TypeError("Nobody was admitted");
    }
    return this.#guest;
  }

  /** The name that was asked for in place of a preview host, with its port; undefined if none was. */
  get name(): string | undefined {
    return undefined;
  }

  /** Origins whose pages hear of a failure, in a frame of theirs. */
  get ancestors(): readonly string[] | undefined {
    return this.#guest?.grant?.frame?.ancestors;
  }

  /** Counts the exchange as a WebSocket; the failure to report if all together, the client or the sandbox have too many. */
  reserveTunnel(): GatewayError | undefined {
    switch (this.#entry?.reserveTunnel(this.reply.mostPerClient)) {
      case "all":
        return new GatewayError("too_many_tunnels", "Too many tunnels");
      case "client":
        return new GatewayError("client_overloaded", "Too many of one client");
      case "sandbox":
        return new GatewayError(
          "sandbox_overloaded",
          "Too many of one sandbox",
        );
      default:
        return undefined;
    }
  }

  /**
   * Opens the body to forward. It ends when the caller loses access: until the response begins, nothing else would end
   * an upload. A preflight's does not, since the gateway answers where the app does not.
   * @throws {GatewayError} `client_overloaded` if the client has too many, or as {@linkcode Reply.openUpload}
   * @throws {StreamError} as {@linkcode Reply.openUpload}
   */
  openBody(): Promise<void> | undefined {
    const opening = this.reply.openUpload();
    if (opening !== undefined) return opening.then(() => this.#onUpload());
    this.#onUpload();
    return undefined;
  }

  #onUpload(): void {
    const { upload, contentLength } = this.reply;
    if (upload === null) return;
    const { mostPerClient } = this.reply;
    if (
      contentLength === null &&
      !this.#entry?.reserveUploadForClient(mostPerClient)
    ) {
      throw new GatewayError(
        "client_overloaded",
        "Too many uploads of unknown length",
      );
    }
    if (this.preflight !== undefined) return;
    this.reply.superviseUpload();
    this.lasts(this.reply);
  }

  /** Has the exchange end by `handle` when the caller loses access, or the gateway closes. */
  lasts(handle: Pick<StreamHandle, "abort" | "stalledSince" | "move">): void {
    const { by, sandboxId } = this.#guest ?? {};
    this.#entry?.setHandle({
      abort: (reason) => handle.abort(reason),
      stalledSince: () => handle.stalledSince?.(),
      recheck: () => this.#stillHasAccess(),
      served: () => this.served,
      publicSandbox: by === "public" ? sandboxId : undefined,
      name: this.name,
      move: handle.move,
    });
  }

  /** Has it called once, when the exchange is over. */
  onEnd(callback: () => void): void {
    (this.#atEnd ??= []).push(callback);
  }

  /** Answers with a response of our own, whose body is complete. */
  answer(response: Response): Response | Promise<Response> {
    return this.#answer(response, { reason: this.progress.notes });
  }

  refuse(error: unknown): Response | Promise<Response> {
    const { logger, scheme } = this.services;
    const failedBecause = this.reply.upload?.failedBecause;
    this.#isFromApp = false; // also if it could not be relayed
    if (failedBecause === undefined && isClientGone(error)) {
      this.progress.onAnswer();
      this.#entry?.end();
      this.#record(CLIENT_CLOSED_REQUEST, { end: "client_gone" });
      return this.reply.finish(new Response(null, { status: 400 }));
    }
    // If the gateway ended the upload, whatever failed did so because of that.
    const failure = failedBecause === undefined
      ? toGatewayError(error)
      : new GatewayError(UPLOAD_ERRORS[failedBecause], "Upload ended");
    if (isLogged(failure)) logFailure(logger, failure, this.#requestFacts());
    const baseOrigin = `${scheme}://${this.baseAuthority}`;
    const response = problemFor(failure, this, baseOrigin, this.services);
    return this.#answer(response, { error: failure.code });
  }

  #answer(
    response: Response,
    conclusion: Conclusion,
  ): Response | Promise<Response> {
    const page = dressed(response, this.services.brand);
    return page instanceof Promise
      ? page.then((it) => this.#finish(it, conclusion))
      : this.#finish(page, conclusion);
  }

  #finish(
    { body, status, headers }: Response,
    conclusion: Conclusion,
  ): Response | Promise<Response> {
    this.progress.onAnswer();
    const own = [...headers, ...this.ownHeaders];
    const all = withOurHeaders(own, this, this.services);
    const response = createResponse(body, status, all);
    this.#noteHead(all, status);
    this.#entry?.end();
    this.#record(status, conclusion);
    return this.reply.answer(response);
  }

  /**
   * Answers with an upstream's response; the exchange is over once its body is.
   * @throws {GatewayError} `runner_protocol_error` for a status above 599 (RFC 9110 section 15), or as
   * {@linkcode Reply.whole} and {@linkcode Reply.stream}
   */
  relay(upstream: UpstreamResponse): Response | Promise<Response> {
    const { status } = upstream;
    if (status > 599) {
      discardBody(upstream.body);
      throw new GatewayError("runner_protocol_error", `Status ${status}`);
    }
    this.#isFromApp = this.hasApp;
    this.progress.onAnswer();
    const relayed = forSharedCaches(this.responseHeaders(upstream), {
      status,
      isPublic: this.isForAnybody,
      edgeCache: this.services.edgeCache,
    });
    const given = { status, headers: relayed, body: upstream.body };
    const body = clientBody(this.method, given);
    const passed = clientHeaders(status, relayed);
    const headers = withOurHeaders(passed, this, this.services);
    this.#noteHead(headers, status);
    if (body === null || body instanceof Uint8Array) {
      const { response, delivered } = this.reply.whole(body, status, headers);
      if (showsUse(status)) this.#touch(); // 7 activity
      this.#entry?.end(delivered);
      this.#record(status, { sentBytes: body?.length ?? 0 });
      return this.reply.finish(response);
    }
    const response = this.reply.stream(
      body,
      status,
      headers,
      (delivered, end) => {
        this.#entry?.end(delivered);
        if (end.end === "upstream_failed") {
          this.#logLateFailure("response broke off", end.reason);
        }
        this.#record(status, end);
      },
    );
    if (showsUse(status)) this.#beginUse(); // 7 activity
    this.#show({ status });
    this.lasts(this.reply);
    return response;
  }

  /** Answers with the 101 that opens `tunnel`; the exchange is over once both of its sides have closed. */
  tunnel(
    { response, tunnel }: { response: Response; tunnel: Tunnel },
  ): Response {
    this.#isFromApp = true;
    this.progress.onAnswer();
    this.#beginUse(); // 7 activity
    this.lasts({
      abort: (reason) => tunnel.close(...TUNNEL_CLOSES[reason]),
      move: () => tunnel.close(...MOVED),
    });
    this.#entry?.openTunnel();
    tunnel.released.then(() => this.#entry?.end());
    this.#noteHead(response.headers, 101);
    this.#show({ status: 101 });
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

  /** Logs a failure after the response began, of which no error response can tell. */
  #logLateFailure(message: string, reason: string | undefined): void {
    this.services.logger.info(message, { ...this.#requestFacts(), reason });
  }

  #requestFacts(): RequestFacts {
    const { id: requestId, port, traceId } = this;
    return { requestId, sandboxId: this.#guest?.sandboxId, port, traceId };
  }

  #touch(): void {
    if (this.#guest === undefined || !this.isUse) return;
    this.services.activity.touch(this.#guest.sandboxId);
  }

  /** Notes use that lasts until the exchange is recorded. */
  #beginUse(): void {
    if (this.#guest === undefined || !this.isUse || this.#isRecorded) return;
    this.#endUse = this.services.activity.begin(this.#guest.sandboxId);
  }

  #record(status: number, conclusion: Conclusion): void {
    if (this.#isRecorded) return;
    this.#isRecorded = true;
    this.reply.close();
    this.#endUse?.();
    for (const callback of this.#atEnd ?? []) callback();
    const isFromApp = this.#isFromApp;
    const endedAt = this.services.now();
    const facts = { ...conclusion, status, isFromApp, endedAt };
    const record = recordOf(this, this.#guest, facts);
    this.services.onRecord(record);
    this.#show(record);
  }

  #noteHead(headers: Iterable<Header>, status: number): void {
    const { observer } = this.services;
    if (observer?.wants({ status }) === true) this.#responseHead = headers;
  }

  /** Shows whoever sees exchanges how far this one has come. */
  #show(facts: Pick<ExchangeRecord, "status"> & Partial<ExchangeRecord>): void {
    const { observer } = this.services;
    if (observer?.wants(facts) !== true) return;
    const { port, progress } = this;
    // To who was not admitted, the sandbox is what the address names.
    const sandboxId = this.#guest?.sandboxId ?? this.namedSandbox;
    if (sandboxId === undefined || port === undefined) return;
    observer.see(sandboxId, this, () => ({
      requestId: this.id,
      method: this.method,
      port,
      by: this.#guest?.by,
      receivedBytes: progress.receivedBytes,
      startedAt: this.startedAt,
      answeredAt: progress.answeredAt,
      ...facts,
      name: this.name,
      target: this.shownTarget,
      requestHeaders: this.headers,
      responseHeaders: this.#responseHead ?? [],
    }), facts);
  }
}

/**
 * True if a response shows that somebody is using the sandbox. What an app rejects (4xx) does not: bots that probe for
 * paths would keep public sandboxes running forever.
 */
function showsUse(status: number): boolean {
  return status < 400 || status > 499;
}
