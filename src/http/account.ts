/**
 * The account of one exchange: every answer of the data plane is made here, and whatever way the exchange ends, it is
 * recorded once.
 */
import { GatewayError } from "../errors.ts";
import { wantsDocument } from "../lib/fetch_metadata.ts";
import type { ExchangeRecord, RouteKind } from "../observability/access_log.ts";
import { logFailure, type Logger } from "../observability/log.ts";
import { CLIENT_CLOSED_REQUEST } from "../observability/metrics/facts.ts";
import { createTrail, type Trail } from "../observability/trail.ts";
import type { Activity } from "../proxy/activity.ts";
import { type CorsDecision, withCors } from "../proxy/cors.ts";
import type { AbortReason, Flight } from "../proxy/in_flight.ts";
import type { Tunnel } from "../proxy/tunnel.ts";
import { UpstreamError } from "../upstream/errors.ts";
import { observe } from "./body.ts";
import {
  bodyFor,
  discard,
  type RelayedResponse,
  responseOf,
} from "./client_response.ts";
import type { Exchange } from "./exchange.ts";
import { problem } from "./problem.ts";
import { serverTiming } from "./server_timing.ts";

/** Who was let in. */
export interface Passage {
  readonly sandboxId: string;
  readonly by: string;
}

/** What somebody was let in for. */
export interface Right {
  /** Whether they still are. Never rejects. */
  recheck(): Promise<boolean>;
}

/** What is the same for all accounts. */
export interface AccountOptions {
  /** Where use of a sandbox is reported. */
  readonly activity: Activity;
  readonly onRecord: (record: ExchangeRecord) => void;
  readonly logger: Logger;
  readonly now: () => number;
}

/** What is known of an exchange when its account is opened. */
export interface AccountFacts {
  readonly route: RouteKind;
  /** The port of the sandbox, where there is one. */
  readonly port: number | undefined;
  /** Undefined where the gateway is full. */
  readonly flight: Flight | undefined;
  readonly cors: CorsDecision;
  /** Whether the exchange shows that somebody uses the sandbox. */
  readonly isUse: boolean;
  /** Whether the client is told how long each part took. */
  readonly tellsTiming: boolean;
}

/** Close code and reason for each way to end a tunnel from our side (RFC 6455 section 7.4.1). */
const CLOSES: Readonly<Record<AbortReason, [code: number, reason: string]>> = {
  going_away: [1001, "Gateway is restarting"],
  stalled: [1013, "Client does not read"],
  right_ended: [1008, "Access has ended"],
};

/**
 * Whether an answer shows that somebody uses the sandbox. What an app turns away (4xx) does not: bots that knock at
 * every door would keep public sandboxes running for ever.
 */
function showsUse(status: number): boolean {
  return status < 400 || status > 499;
}

/** How an exchange ended, as far as it did not end well and without more to say. */
type End = Partial<
  Pick<ExchangeRecord, "end" | "error" | "tunnel" | "sentBytes">
>;

/** The account of one exchange. */
export class Account {
  readonly trail: Trail = createTrail();
  readonly #exchange: Exchange;
  readonly #facts: AccountFacts;
  readonly #options: AccountOptions;
  #passage: Passage | undefined;
  #right: Right | undefined;
  #answeredAt: number;

  constructor(
    exchange: Exchange,
    facts: AccountFacts,
    options: AccountOptions,
  ) {
    this.#exchange = exchange;
    this.#facts = facts;
    this.#options = options;
    this.#answeredAt = exchange.startedAt;
  }

  /** What is said to the request's origin. */
  get cors(): CorsDecision {
    return this.#facts.cors;
  }

  /**
   * Notes who was let in, and how to ask again whether they still are.
   *
   * @throws {GatewayError} `sandbox_overloaded`
   */
  admitted(passage: Passage, right: Right): void {
    this.#passage = passage;
    this.#right = right;
    if (this.#facts.flight?.isFor(passage.sandboxId) === false) {
      throw new GatewayError("sandbox_overloaded", passage.sandboxId);
    }
  }

  /** Notes that it is to be a tunnel. Throws {@linkcode GatewayError} `too_many_tunnels`. */
  becomesTunnel(): void {
    if (this.#facts.flight?.becomeTunnel() === false) {
      throw new GatewayError("too_many_tunnels", "Too many tunnels");
    }
  }

  /** An answer of ours without a body to wait for. */
  answer(response: Response): Response {
    this.#answeredAt = this.#options.now();
    this.#settle(response.status, {});
    return this.#own(response);
  }

  /** Our answer to a failure. */
  refuse(error: unknown): Response {
    const { logger, now } = this.#options;
    const { id, headers } = this.#exchange;
    this.#answeredAt = now();
    if (
      error instanceof UpstreamError &&
      (error.code === "aborted" || error.code === "body_failed")
    ) {
      this.#settle(CLIENT_CLOSED_REQUEST, { end: "client_gone" });
      return new Response(null, { status: 400 });
    }
    const failure = error instanceof GatewayError
      ? error
      : new GatewayError("internal", "Unexpected failure", { cause: error });
    if (failure.status >= 500) logFailure(logger, failure, id);
    this.#settle(failure.status, { error: failure.code });
    return this.#own(problem({
      code: failure.code,
      requestId: id,
      asPage: wantsDocument(headers),
      retryAfterSec: failure.retryAfterSec,
    }));
  }

  /** An upstream's answer; it is over when its body is. */
  relay(answer: RelayedResponse): Response {
    const { status } = answer;
    if (status > 599) {
      discard(answer.body);
      throw new GatewayError("runner_protocol_error", `Status ${status}`);
    }
    this.#answeredAt = this.#options.now();
    const body = bodyFor(this.#exchange.method, answer);
    const shared = this.#finish(answer.fields);
    const used = showsUse(status) ? this.#usedSandbox() : undefined;
    if (body instanceof ReadableStream) {
      return responseOf(this.#observed(body, status, used), status, shared);
    }
    if (used !== undefined) this.#options.activity.touch(used);
    this.#settle(status, { sentBytes: body?.length ?? 0 });
    return responseOf(body, status, shared);
  }

  /** A tunnel, opened by `response`; it is over when both its sides are closed. */
  tunnel(response: Response, tunnel: Tunnel): Response {
    const { flight } = this.#facts;
    this.#answeredAt = this.#options.now();
    const endUse = this.#beginUse(this.#usedSandbox());
    flight?.lasts({
      abort: (reason) => tunnel.close(...CLOSES[reason]),
      recheck: () => this.#mayGoOn(),
    });
    tunnel.released.then(() => flight?.end());
    tunnel.closed.then(({ failure: _, reason: __, ...end }) => {
      endUse?.();
      this.#record(101, { tunnel: end });
    });
    return response;
  }

  /** The body with somebody watching it, who settles at its end. */
  #observed(
    body: ReadableStream<Uint8Array>,
    status: number,
    sandboxId: string | undefined,
  ): ReadableStream<Uint8Array> {
    const endUse = this.#beginUse(sandboxId);
    const { stream, ...lasting } = observe(body, {
      now: () => performance.now(),
      onEnd: (end, sentBytes) => {
        endUse?.();
        this.#settle(status, { end, sentBytes });
      },
    });
    this.#facts.flight?.lasts({
      ...lasting,
      recheck: () => this.#mayGoOn(),
    });
    return stream;
  }

  /** What nobody was let in for, such as our own pages, is nobody's to lose. */
  #mayGoOn(): Promise<boolean> {
    return this.#right?.recheck() ?? Promise.resolve(true);
  }

  #usedSandbox(): string | undefined {
    return this.#facts.isUse ? this.#passage?.sandboxId : undefined;
  }

  #beginUse(sandboxId: string | undefined): (() => void) | undefined {
    return sandboxId === undefined
      ? undefined
      : this.#options.activity.begin(sandboxId);
  }

  #own(response: Response): Response {
    const { body, status, headers } = response;
    return responseOf(body, status, this.#finish([...headers]));
  }

  #finish(fields: [string, string][]): [string, string][] {
    const shared = withCors(fields, this.cors);
    if (this.#facts.tellsTiming) {
      shared.push([
        "server-timing",
        serverTiming(this.#exchange, this.trail, this.#answeredAt),
      ]);
    }
    return shared;
  }

  #settle(status: number, end: End): void {
    this.#facts.flight?.end();
    this.#record(status, end);
  }

  #record(status: number, end: End): void {
    const { trail } = this;
    this.#options.onRecord({
      requestId: this.#exchange.id,
      route: this.#facts.route,
      method: this.#exchange.method,
      status,
      end: end.end ?? "complete",
      sandboxId: this.#passage?.sandboxId,
      port: this.#facts.port,
      by: this.#passage?.by,
      cache: trail.asked === undefined
        ? undefined
        : trail.asked
        ? "miss"
        : "hit",
      error: end.error,
      tunnel: end.tunnel,
      receivedBytes: trail.receivedBytes,
      sentBytes: end.sentBytes ?? 0,
      startedAt: this.#exchange.startedAt,
      resolvedAt: trail.resolvedAt,
      answeredAt: this.#answeredAt,
      endedAt: this.#options.now(),
    });
  }
}
