/** Follows one exchange to its end: makes its response, and records the exchange once it is over. */
import { type ErrorCode, GatewayError } from "../errors.ts";
import { wantsDocument } from "../lib/fetch_metadata.ts";
import type { ExchangeRecord, RouteKind } from "../observability/access_log.ts";
import {
  createExchangeStats,
  type ExchangeStats,
} from "../observability/exchange_stats.ts";
import {
  isLogged,
  logFailure,
  type Logger,
  type RequestFacts,
} from "../observability/log.ts";
import { CLIENT_CLOSED_REQUEST } from "../observability/metrics/facts.ts";
import { problem } from "../pages/problem.ts";
import type { LeakedSockets } from "../platform/leaked_sockets.ts";
import type { Activity } from "../proxy/activity.ts";
import { type CorsDecision, withCors } from "../proxy/cors.ts";
import type { AbortReason, InFlightEntry } from "../proxy/in_flight.ts";
import type { AdmittedRequest } from "../proxy/runner_request.ts";
import type { Tunnel } from "../proxy/tunnel.ts";
import type { BodyReader } from "../upstream/http1/body_reader.ts";
import { discardBody } from "../upstream/http1/message.ts";
import { UpstreamError } from "../upstream/upstream_error.ts";
import {
  clientBody,
  clientFields,
  createResponse,
  type RelayedResponse,
} from "./client_response.ts";
import type { Exchange } from "./exchange.ts";
import { observe } from "./response_body.ts";
import { serverTiming } from "./server_timing.ts";
import { UploadProgress } from "./upload_progress.ts";

/** Who was admitted to what. */
export interface Grant {
  readonly sandboxId: string;
  /** The credential, or `public`. */
  readonly by: string;
  /** Whose limit the exchange counts against; the sandbox's unless given. */
  readonly countsAgainst?: string;
}

/** Rechecks the access of a caller who was admitted. */
export interface Revalidator {
  /**
   * Whether the caller would be admitted now.
   *
   * @throws {GatewayError} if that cannot be determined
   */
  recheck(): Promise<boolean>;
}

/** Dependencies of all trackers. */
export interface TrackerOptions {
  /** Where the use of a sandbox is reported. */
  readonly activity: Activity;
  readonly onRecord: (record: ExchangeRecord) => void;
  readonly leakedSockets: LeakedSockets;
  readonly logger: Logger;
  readonly now: () => number;
}

/** What is known of an exchange from its start. */
export interface ExchangeStart {
  readonly route: RouteKind;
  /** The port of the sandbox, if there is one. */
  readonly port: number | undefined;
  readonly entry: InFlightEntry;
  readonly cors: CorsDecision;
  /** Whether the exchange counts as use of the sandbox. */
  readonly isUse: boolean;
  /** Whether the client gets a Server-Timing field. */
  readonly sendsTiming: boolean;
}

/** Close code and reason for each way to end a tunnel from our side (RFC 6455 section 7.4.1). */
const CLOSES: Readonly<Record<AbortReason, [code: number, reason: string]>> = {
  going_away: [1001, "Gateway is restarting"],
  stalled: [1013, "Client does not read"],
  access_revoked: [1008, "Access has ended"],
};

/** The error code for each way to end an upload from our side, before its response began. */
const UPLOAD_ERRORS: Readonly<Record<AbortReason, ErrorCode>> = {
  going_away: "shutting_down",
  stalled: "upload_stalled",
  access_revoked: "credential_invalid",
};

/**
 * Whether a response shows that somebody is using the sandbox. What an app rejects (4xx) does not: bots that probe for
 * paths would keep public sandboxes running forever.
 */
function showsUse(status: number): boolean {
  return status < 400 || status > 499;
}

/** How an exchange ended, if there is more to say than `complete`. */
type Ending = Partial<
  Pick<ExchangeRecord, "end" | "error" | "tunnel" | "sentBytes">
>;

/** Follows one exchange. Exactly one of `answer`, `refuse`, `relay` and `tunnel` makes its response. */
export class ExchangeTracker {
  readonly stats: ExchangeStats = createExchangeStats();
  readonly #exchange: Exchange;
  readonly #start: ExchangeStart;
  readonly #options: TrackerOptions;
  #grant: Grant | undefined;
  #revalidator: Revalidator | undefined;
  #answeredAt: number;
  #upload: UploadProgress | undefined;
  #abortedUpload: AbortReason | undefined;

  constructor(
    exchange: Exchange,
    start: ExchangeStart,
    options: TrackerOptions,
  ) {
    this.#exchange = exchange;
    this.#start = start;
    this.#options = options;
    this.#answeredAt = exchange.startedAt;
  }

  /** What the response tells the request's origin. */
  get cors(): CorsDecision {
    return this.#start.cors;
  }

  /**
   * Notes who was admitted, and how to recheck that.
   *
   * @throws {GatewayError} `sandbox_overloaded`, or `overloaded` where the limit is another's
   */
  grant(grant: Grant, revalidator: Revalidator): void {
    this.#grant = grant;
    this.#revalidator = revalidator;
    const { sandboxId, countsAgainst } = grant;
    if (this.#start.entry.reserveFor(countsAgainst ?? sandboxId)) return;
    // What else it counts against may name a client, whose address is not for the log.
    throw countsAgainst === undefined
      ? new GatewayError("sandbox_overloaded", "Limit of one sandbox")
      : new GatewayError("overloaded", "Limit of one client's build logs");
  }

  /**
   * Counts the exchange as a WebSocket.
   *
   * @throws {GatewayError} `too_many_tunnels`
   */
  reserveTunnel(): void {
    if (!this.#start.entry.reserveTunnel()) {
      throw new GatewayError("too_many_tunnels", "Too many tunnels");
    }
  }

  /**
   * The same request, with an upload that ends when the caller loses access: until the response begins, nothing else
   * would end it.
   */
  watchUpload(request: AdmittedRequest): AdmittedRequest {
    if (request.body === null) return request;
    const ending = new AbortController();
    this.#start.entry.setHandle({
      abort: (reason) => {
        this.#abortedUpload = reason;
        ending.abort();
      },
      recheck: () => this.#stillHasAccess(),
    });
    const { body, contentLength } = request;
    this.#upload = new UploadProgress(body, contentLength);
    return {
      ...request,
      body: this.#upload,
      signal: () => AbortSignal.any([request.signal(), ending.signal]),
    };
  }

  /** Answers with a response of our own, whose body is complete. */
  answer(response: Response): Response {
    this.#answeredAt = this.#options.now();
    this.#settle(response.status, {});
    return this.#ownResponse(response);
  }

  /** Answers with the error for a failure. */
  refuse(error: unknown): Response {
    const { logger, now } = this.#options;
    const { id, method, headers } = this.#exchange;
    this.#answeredAt = now();
    if (
      this.#abortedUpload === undefined && error instanceof UpstreamError &&
      (error.code === "aborted" || error.code === "body_failed")
    ) {
      this.#settle(CLIENT_CLOSED_REQUEST, { end: "client_gone" });
      return new Response(null, { status: 400 });
    }
    const failure = this.#abortedUpload === undefined
      ? asGatewayError(error)
      : new GatewayError(UPLOAD_ERRORS[this.#abortedUpload], "Upload ended");
    if (isLogged(failure)) logFailure(logger, failure, this.#requestFacts());
    this.#settle(failure.status, { error: failure.code });
    return this.#ownResponse(problem({
      code: failure.code,
      requestId: id,
      asPage: wantsDocument(headers),
      mayReload: method === "GET",
      retryAfterSec: failure.retryAfterSec,
    }));
  }

  /**
   * Answers with an upstream's response; the exchange is over once its body is.
   *
   * @throws {GatewayError} `runner_protocol_error` for a status above 599 (RFC 9110 section 15); `duplex_unavailable` if
   * it cannot be streamed beside its upload (see {@linkcode LeakedSockets})
   */
  relay(response: RelayedResponse): Response {
    const { status } = response;
    if (status > 599) {
      discardBody(response.body);
      throw new GatewayError("runner_protocol_error", `Status ${status}`);
    }
    this.#answeredAt = this.#options.now();
    const body = clientBody(this.#exchange.method, response);
    const fields = this.#withOurFields(clientFields(response));
    const usedId = showsUse(status) ? this.#usedSandboxId() : undefined;
    if (body === null || body instanceof Uint8Array) {
      if (usedId !== undefined) this.#options.activity.touch(usedId);
      this.#settle(status, { sentBytes: body?.length ?? 0 });
      return createResponse(body, status, fields);
    }
    const { leakedSockets } = this.#options;
    const { clientAddress } = this.#exchange.from;
    if (
      this.#upload?.isOpen === true && !leakedSockets.mayRisk(clientAddress)
    ) {
      discardBody(body);
      throw new GatewayError(
        "duplex_unavailable",
        "Too many sockets were lost",
      );
    }
    const stream = this.#observed(body, status, usedId);
    return createResponse(stream, status, fields);
  }

  /** Answers with the 101 that opens `tunnel`; the exchange is over once both of its sides have closed. */
  tunnel(response: Response, tunnel: Tunnel): Response {
    const { entry } = this.#start;
    this.#answeredAt = this.#options.now();
    const endUse = this.#beginUse(this.#usedSandboxId());
    entry.setHandle({
      abort: (reason) => tunnel.close(...CLOSES[reason]),
      recheck: () => this.#stillHasAccess(),
    });
    tunnel.released.then(() => entry.end());
    tunnel.closed.then(({ reason: _, ...end }) => {
      endUse?.();
      this.#record(101, { tunnel: end });
    });
    return response;
  }

  /** The same body, whose end settles the exchange. */
  #observed(
    body: BodyReader,
    status: number,
    sandboxId: string | undefined,
  ): ReadableStream<Uint8Array> {
    const endUse = this.#beginUse(sandboxId);
    const { stream, ...handle } = observe(body, {
      now: () => performance.now(),
      onEnd: (end, sentBytes) => {
        endUse?.();
        const { clientAddress } = this.#exchange.from;
        this.#options.leakedSockets.note(clientAddress, end, this.#upload);
        this.#settle(status, { end, sentBytes });
      },
    });
    this.#start.entry.setHandle({
      ...handle,
      recheck: () => this.#stillHasAccess(),
    });
    return stream;
  }

  async #stillHasAccess(): Promise<boolean> {
    try {
      return await this.#revalidator?.recheck() ?? true;
    } catch (error) {
      // An outage must not revoke access; a bug must not preserve it.
      if (error instanceof GatewayError) return true;
      logFailure(
        this.#options.logger,
        asGatewayError(error),
        this.#requestFacts(),
      );
      return false;
    }
  }

  #requestFacts(): RequestFacts {
    return {
      requestId: this.#exchange.id,
      sandboxId: this.#grant?.sandboxId,
      port: this.#start.port,
    };
  }

  #usedSandboxId(): string | undefined {
    return this.#start.isUse ? this.#grant?.sandboxId : undefined;
  }

  #beginUse(sandboxId: string | undefined): (() => void) | undefined {
    return sandboxId === undefined
      ? undefined
      : this.#options.activity.begin(sandboxId);
  }

  #ownResponse(response: Response): Response {
    const { body, status, headers } = response;
    return createResponse(body, status, this.#withOurFields([...headers]));
  }

  #withOurFields(fields: [string, string][]): [string, string][] {
    const result = withCors(fields, this.cors);
    if (this.#start.sendsTiming) {
      result.push([
        "server-timing",
        serverTiming(this.#exchange, this.stats, this.#answeredAt),
      ]);
    }
    return result;
  }

  #settle(status: number, ending: Ending): void {
    this.#start.entry.end();
    this.#record(status, ending);
  }

  #record(status: number, ending: Ending): void {
    const { missedCache, resolvedAt, receivedBytes } = this.stats;
    this.#options.onRecord({
      requestId: this.#exchange.id,
      route: this.#start.route,
      method: this.#exchange.method,
      status,
      end: ending.end ?? "complete",
      sandboxId: this.#grant?.sandboxId,
      port: this.#start.port,
      clientAddress: this.#exchange.from.clientAddress,
      by: this.#grant?.by,
      cache: missedCache === undefined
        ? undefined
        : missedCache
        ? "miss"
        : "hit",
      error: ending.error,
      tunnel: ending.tunnel,
      receivedBytes,
      sentBytes: ending.sentBytes ?? 0,
      startedAt: this.#exchange.startedAt,
      resolvedAt,
      answeredAt: this.#answeredAt,
      endedAt: this.#options.now(),
    });
  }
}

function asGatewayError(error: unknown): GatewayError {
  return error instanceof GatewayError
    ? error
    : new GatewayError("internal", "Unexpected failure", { cause: error });
}
