/**
 * One exchange: a request as it was received, the route that its address is, and its life from there on. A handler takes
 * it from step to step, and ends with exactly one of `answer`, `refuse`, `relay` and `tunnel`. The client's leg is its
 * `reply`.
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
import { isLogged, logFailure } from "../observability/log.ts";
import { dressed } from "../pages/brand.ts";
import { type Preflight, preflightOf } from "../proxy/cors.ts";
import { forSharedCaches } from "../proxy/shared_caches.ts";
import type { StreamHandle } from "../proxy/stream_handle.ts";
import type { Tunnel } from "../proxy/tunnel.ts";
import type { Destination } from "../resolver/destination.ts";
import { discardBody } from "../stream/response_body.ts";
import type { UpstreamResponse } from "../upstream/http1/message.ts";
import { Account } from "./account.ts";
import { Admittance, type Recheck } from "./admittance.ts";
import type { ExchangeServices } from "./exchange_services.ts";
import { problemFor, withOurHeaders } from "./own_response.ts";
import { Places } from "./places.ts";
import { type Conclusion, type Guest, Progress } from "./progress.ts";
import type { ReceivedRequest } from "./received_request.ts";
import type { Route } from "./route.ts";

export class Exchange<Kind extends Route = Route> {
  readonly received: ReceivedRequest;
  readonly route: Kind;
  readonly progress: Progress;
  readonly reply: Reply;
  /** The preflight that the request is; undefined if it is none, or if only the app may answer it. */
  readonly preflight: Preflight | undefined;
  readonly #services: ExchangeServices;
  readonly #places: Places;
  readonly #account: Account;
  readonly #admittance: Admittance;
  #atEnd: (() => void)[] | undefined;
  #isFromApp = false;

  constructor(
    received: ReceivedRequest,
    route: Kind,
    services: ExchangeServices,
  ) {
    this.received = received;
    this.route = route;
    this.progress = new Progress(received.startedAt, services.now);
    this.reply = new Reply(received, services.clientLeg);
    this.preflight = route.cors.kind === "on"
      ? preflightOf(received.method, received.headers)
      : undefined;
    this.#services = services;
    this.#places = new Places(services.inFlight);
    this.#account = new Account(this, services);
    this.#admittance = new Admittance({
      route,
      progress: this.progress,
      guard: services.guard,
      onBug: (error) => logFailure(services.logger, error, this.#account.facts),
    });
  }

  /** Who was admitted; undefined before {@linkcode Exchange.grant}. */
  get guest(): Guest | undefined {
    return this.#admittance.guest;
  }

  /** The sandbox to which somebody was admitted; throws `TypeError` before {@linkcode Exchange.grant}. */
  get sandboxId(): string {
    return this.#admittance.granted.sandboxId;
  }

  /**
   * Counts the exchange as in flight, and checks the limits that need no lookup.
   * @throws as {@linkcode Places.begin}, {@linkcode Places.wait} and {@linkcode checkHead}
   */
  checkLimits(): Promise<void> | undefined {
    const hasPlace = this.#places.begin(this.received);
    checkHead(this.received, this.#services.limits);
    return hasPlace ? undefined : this.#places.wait(this.received);
  }

  /**
   * Notes who was admitted, and how to recheck that.
   * @throws {GatewayError} as {@linkcode Places.reserveFor}
   */
  grant(guest: Guest, recheck: Recheck): void {
    this.#admittance.admit(guest, recheck);
    this.#places.reserveFor(guest);
  }

  /**
   * Notes where the request goes: what was known of a name when it was admitted may have been old. Nothing is sent before.
   * @throws {GatewayError} as {@linkcode Places.reserveForOrganization}, or the failure of a guard
   */
  onResolved(destination: Destination): void {
    this.#admittance.goesTo(destination);
    this.#places.reserveForOrganization(destination.organizationId);
    this.progress.onResolved();
  }

  /**
   * For what is answered in place of the app, before anything comes of it: throws the failure of a guard, which is asked
   * once for each request, where it goes or here.
   */
  checkServed(): void {
    this.#admittance.checkServed();
  }

  /** Counts the exchange as a WebSocket; the failure as of {@linkcode Places.reserveTunnel}. */
  reserveTunnel(): GatewayError | undefined {
    return this.#places.reserveTunnel(this.reply.mostPerClient);
  }

  /**
   * Opens the body to forward. It ends when the caller loses access: until the response begins, nothing else would end
   * an upload. A preflight's does not, since the gateway answers where the app does not.
   * @throws {GatewayError} as {@linkcode Places.reserveUpload}, or {@linkcode Reply.openUpload}
   * @throws {StreamError} as {@linkcode Reply.openUpload}
   */
  openBody(): Promise<void> | undefined {
    const opening = this.reply.openUpload();
    if (opening !== undefined) return opening.then(() => this.#onUpload());
    this.#onUpload();
    return undefined;
  }

  #onUpload(): void {
    const { upload, contentLength, mostPerClient } = this.reply;
    if (upload === null) return;
    if (contentLength === null) this.#places.reserveUpload(mostPerClient);
    if (this.preflight !== undefined) return;
    this.reply.superviseUpload();
    this.lasts(this.reply);
  }

  /** Has the exchange end by `handle` when the caller loses access, or the gateway closes. */
  lasts(handle: Pick<StreamHandle, "abort" | "stalledSince" | "move">): void {
    this.#places.setHandle(this.#admittance.handleOf(handle));
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
    const { logger } = this.#services;
    const failedBecause = this.reply.upload?.failedBecause;
    this.#isFromApp = false; // also if it could not be relayed
    if (failedBecause === undefined && isClientGone(error)) {
      this.progress.onAnswer();
      this.#places.end();
      this.#record(CLIENT_CLOSED_REQUEST, { end: "client_gone" });
      return this.reply.finish(new Response(null, { status: 400 }));
    }
    // If the gateway ended the upload, whatever failed did so because of that.
    const failure = failedBecause === undefined
      ? toGatewayError(error)
      : new GatewayError(UPLOAD_ERRORS[failedBecause], "Upload ended");
    if (isLogged(failure)) logFailure(logger, failure, this.#account.facts);
    const response = problemFor(failure, this, this.#services);
    return this.#answer(response, { error: failure.code });
  }

  #answer(
    response: Response,
    conclusion: Conclusion,
  ): Response | Promise<Response> {
    const page = dressed(response, this.#services.brand);
    return page instanceof Promise
      ? page.then((it) => this.#finish(it, conclusion))
      : this.#finish(page, conclusion);
  }

  #finish(
    { body, status, headers }: Response,
    conclusion: Conclusion,
  ): Response | Promise<Response> {
    this.progress.onAnswer();
    const own = [...headers, ...this.route.ownHeaders?.() ?? []];
    const all = withOurHeaders(own, this, this.#services);
    const response = createResponse(body, status, all);
    this.#account.noteHead(all, status);
    this.#places.end();
    this.#record(status, conclusion);
    return this.reply.answer(response);
  }

  /**
   * Answers with an upstream's response; the exchange is over once its body is.
   * @param isPersonal True if the app was told of this visitor
   * @throws {GatewayError} `runner_protocol_error` for a status above 599 (RFC 9110 section 15), or as
   * {@linkcode Reply.whole} and {@linkcode Reply.stream}
   */
  relay(
    upstream: UpstreamResponse,
    isPersonal = false,
  ): Response | Promise<Response> {
    const { status } = upstream;
    if (status > 599) {
      discardBody(upstream.body);
      throw new GatewayError("runner_protocol_error", `Status ${status}`);
    }
    const { route, reply } = this;
    this.#isFromApp = route.hasApp;
    this.progress.onAnswer();
    const { granted: guest } = this.#admittance;
    const isForAnybody = guest.by === "public" && !isPersonal;
    const relayed = forSharedCaches(
      route.responseHeaders(upstream, { guest, isForAnybody }),
      { status, isPublic: isForAnybody, edgeCache: this.#services.edgeCache },
    );
    const given = { status, headers: relayed, body: upstream.body };
    const body = clientBody(this.received.method, given);
    const passed = clientHeaders(status, relayed);
    const headers = withOurHeaders(passed, this, this.#services);
    this.#account.noteHead(headers, status);
    if (body === null || body instanceof Uint8Array) {
      const { response, delivered } = reply.whole(body, status, headers);
      if (showsUse(status)) this.#account.touch(); // 7 activity
      this.#places.end(delivered);
      this.#record(status, { sentBytes: body?.length ?? 0 });
      return reply.finish(response);
    }
    const response = reply.stream(body, status, headers, (delivered, end) => {
      this.#places.end(delivered);
      if (end.end === "upstream_failed") {
        this.#logLateFailure("response broke off", end.reason);
      }
      this.#record(status, end);
    });
    if (showsUse(status)) this.#account.beginUse(); // 7 activity
    this.#account.show({ status });
    this.lasts(reply);
    return response;
  }

  /** Answers with the 101 that opens `tunnel`; the exchange is over once both of its sides have closed. */
  tunnel(
    { response, tunnel }: { response: Response; tunnel: Tunnel },
  ): Response {
    this.#isFromApp = true;
    this.progress.onAnswer();
    this.#account.beginUse(); // 7 activity
    this.lasts({
      abort: (reason) => tunnel.close(...TUNNEL_CLOSES[reason]),
      move: () => tunnel.close(...MOVED),
    });
    this.#places.openTunnel();
    tunnel.released.then(() => this.#places.end());
    this.#account.noteHead(response.headers, 101);
    this.#account.show({ status: 101 });
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

  /** Logs a failure after the response began, of which no error response can tell. */
  #logLateFailure(message: string, reason: string | undefined): void {
    this.#services.logger.info(message, { ...this.#account.facts, reason });
  }

  #record(status: number, conclusion: Conclusion): void {
    if (this.#account.isClosed) return;
    this.reply.close();
    for (const callback of this.#atEnd ?? []) callback();
    this.#account.close(status, this.#isFromApp, conclusion);
  }
}

/**
 * True if a response shows that somebody is using the sandbox. What an app rejects (4xx) does not: bots that probe for
 * paths would keep public sandboxes running forever.
 */
function showsUse(status: number): boolean {
  return status < 400 || status > 499;
}
