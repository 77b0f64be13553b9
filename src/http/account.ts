/**
 * The account of one exchange: every answer of the data plane is made here, and whatever way the exchange ends, it is
 * recorded once.
 */
import { GatewayError } from "../errors.ts";
import { wantsDocument } from "../lib/fetch_metadata.ts";
import {
  CLIENT_CLOSED_REQUEST,
  type ExchangeRecord,
  type RouteKind,
} from "../observability/access_log.ts";
import { logFailure, type Logger } from "../observability/log.ts";
import type { Trail } from "../observability/trail.ts";
import type { Activity } from "../proxy/activity.ts";
import { type CorsDecision, withCors } from "../proxy/cors.ts";
import type { AbortReason, Flight } from "../proxy/in_flight.ts";
import type { Tunnel } from "../proxy/tunnel.ts";
import { UpstreamError } from "../upstream/errors.ts";
import type { ResponseBody } from "../upstream/types.ts";
import { observe } from "./body.ts";
import type { Exchange } from "./exchange.ts";
import { problem } from "./problem.ts";
import { serverTiming } from "./server_timing.ts";

/** An upstream's answer with the fields that the client gets. */
export interface RelayedResponse {
  readonly status: number;
  readonly fields: [string, string][];
  readonly body: ResponseBody;
}

/** Who was let in. */
export interface Passage {
  readonly sandboxId: string;
  readonly by: string;
}

/** The account of one exchange. */
export interface Account {
  readonly trail: Trail;
  /**
   * Who was let in, and how to ask again whether they still are.
   *
   * @throws {GatewayError} `sandbox_overloaded`
   */
  admitted(passage: Passage, recheck: () => Promise<boolean>): void;
  /** Tells that it is to be a tunnel. Throws {@linkcode GatewayError} `too_many_tunnels`. */
  becomesTunnel(): void;
  /** An answer of ours without a body to wait for. */
  answer(response: Response): Response;
  /** Our answer to a failure. */
  refuse(error: unknown): Response;
  /** An upstream's answer; it is over when its body is. */
  relay(response: RelayedResponse): Response;
  /** A tunnel, opened by `response`; it is over when both its sides are closed. */
  tunnel(response: Response, tunnel: Tunnel): Response;
}

/** What an account needs beside its exchange. */
export interface AccountOptions {
  readonly route: RouteKind;
  /** Undefined where the exchange is for no port. */
  readonly port: number | undefined;
  /** Undefined where the gateway is full. */
  readonly flight: Flight | undefined;
  readonly trail: Trail;
  readonly cors: CorsDecision;
  /** Where use of the sandbox is reported; undefined where this exchange is none. */
  readonly activity: Activity | undefined;
  /** Whether the client is told how long each part took. */
  readonly tellsTiming: boolean;
  readonly onRecord: (record: ExchangeRecord) => void;
  readonly logger: Logger;
  readonly now: () => number;
}

/** Statuses whose responses have no body (RFC 9110 sections 15.3.5, 15.3.6, 15.4.5): Response refuses one. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

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

/** Opens the account of one exchange. */
export function openAccount(
  exchange: Exchange,
  options: AccountOptions,
): Account {
  const { flight, cors, trail, now } = options;
  let passage: Passage | undefined;
  let recheck: (() => Promise<boolean>) | undefined;
  let answeredAt = exchange.startedAt;

  function record(
    status: number,
    details: Partial<
      Pick<ExchangeRecord, "end" | "error" | "tunnel" | "sentBytes">
    > = {},
  ): void {
    options.onRecord({
      requestId: exchange.id,
      route: options.route,
      method: exchange.method,
      status,
      end: "complete",
      sandboxId: passage?.sandboxId,
      port: options.port,
      by: passage?.by,
      cache: trail.asked === undefined
        ? undefined
        : trail.asked
        ? "miss"
        : "hit",
      receivedBytes: trail.receivedBytes,
      sentBytes: 0,
      ...details,
      startedAt: exchange.startedAt,
      resolvedAt: trail.resolvedAt,
      answeredAt,
      endedAt: now(),
    });
  }

  function settle(...facts: Parameters<typeof record>): void {
    flight?.end();
    record(...facts);
  }

  function finish(headers: [string, string][]): [string, string][] {
    const shared = withCors(headers, cors);
    if (options.tellsTiming) {
      shared.push(["server-timing", serverTiming(exchange, trail, answeredAt)]);
    }
    return shared;
  }

  function own(response: Response): Response {
    const { status } = response;
    return responseOf(response.body, status, finish([...response.headers]));
  }

  function using(): string | undefined {
    return options.activity === undefined ? undefined : passage?.sandboxId;
  }

  return {
    trail,

    admitted(who, stillMay) {
      passage = who;
      recheck = stillMay;
      if (flight?.isFor(who.sandboxId) === false) {
        throw new GatewayError("sandbox_overloaded", who.sandboxId);
      }
    },

    becomesTunnel() {
      if (flight?.becomeTunnel() === false) {
        throw new GatewayError("too_many_tunnels", "Too many tunnels");
      }
    },

    answer(response) {
      answeredAt = now();
      settle(response.status);
      return own(response);
    },

    refuse(error) {
      answeredAt = now();
      if (
        error instanceof UpstreamError &&
        (error.code === "aborted" || error.code === "body_failed")
      ) {
        settle(CLIENT_CLOSED_REQUEST, { end: "client_gone" });
        return new Response(null, { status: 400 });
      }
      const failure = error instanceof GatewayError
        ? error
        : new GatewayError("internal", "Unexpected failure", { cause: error });
      if (failure.status >= 500) {
        logFailure(options.logger, failure, exchange.id);
      }
      settle(failure.status, { error: failure.code });
      return own(problem({
        code: failure.code,
        requestId: exchange.id,
        asPage: wantsDocument(exchange.headers),
        retryAfterSec: failure.retryAfterSec,
      }));
    },

    relay({ status, fields, body: given }) {
      if (status > 599) {
        discard(given);
        throw new GatewayError("runner_protocol_error", `Status ${status}`);
      }
      answeredAt = now();
      const sandboxId = showsUse(status) ? using() : undefined;
      const shared = finish(fields);
      let body = given;
      if (BODILESS.has(status)) {
        discard(body);
        body = null;
      } else if (exchange.method === "HEAD" && !hasLength(fields)) {
        // Without a body the front would say that a GET has none.
        body = new Blob([]).stream();
      }
      if (!(body instanceof ReadableStream)) {
        if (sandboxId !== undefined) options.activity?.touch(sandboxId);
        settle(status, { sentBytes: body?.length ?? 0 });
        return responseOf(body, status, shared);
      }
      const endUse = sandboxId === undefined
        ? undefined
        : options.activity?.begin(sandboxId);
      const observed = observe(body, {
        now: () => performance.now(),
        onEnd(end, sentBytes) {
          endUse?.();
          settle(status, { end, sentBytes });
        },
      });
      flight?.lasts({ ...observed, ...recheck && { recheck } });
      return responseOf(observed.stream, status, shared);
    },

    tunnel(response, tunnel) {
      answeredAt = now();
      const sandboxId = using();
      const endUse = sandboxId === undefined
        ? undefined
        : options.activity?.begin(sandboxId);
      flight?.lasts({
        abort: (reason) => tunnel.close(...CLOSES[reason]),
        ...recheck && { recheck },
      });
      tunnel.released.then(() => flight?.end());
      tunnel.closed.then(({ failure: _, reason: __, ...end }) => {
        endUse?.();
        record(101, { tunnel: end });
      });
      return response;
    },
  };
}

/** A response; fields that are appended take half the time of those that it is constructed with. */
function responseOf(
  body: BodyInit | null,
  status: number,
  fields: readonly [string, string][],
): Response {
  const response = new Response(body, { status });
  const { headers } = response;
  for (const [name, value] of fields) headers.append(name, value);
  return response;
}

/** Lets go of a body that nobody will read. */
function discard(body: ResponseBody): void {
  if (body instanceof ReadableStream) body.cancel().catch(() => {});
}

function hasLength(fields: readonly [string, string][]): boolean {
  return fields.some(([name]) => name.toLowerCase() === "content-length");
}
