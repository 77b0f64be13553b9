/**
 * The books of one exchange: every answer to a preview host is made here, and whatever way the exchange ends, it is
 * recorded once.
 */
import { GatewayError } from "../errors.ts";
import { wantsDocument } from "../lib/fetch_metadata.ts";
import type {
  ExchangeEnd,
  ExchangeRecord,
} from "../observability/access_log.ts";
import { logFailure, type Logger } from "../observability/log.ts";
import { type CorsDecision, withCors } from "../proxy/cors.ts";
import type { AbortReason, Flight } from "../proxy/in_flight.ts";
import { responseFields } from "../proxy/response_headers.ts";
import type { Tunnel } from "../proxy/tunnel.ts";
import { UpstreamError } from "../upstream/errors.ts";
import type { UpstreamResponse } from "../upstream/types.ts";
import { observe } from "./body.ts";
import type { Exchange } from "./exchange.ts";
import { problem } from "./problem.ts";

/** The account of one exchange. */
export interface Account {
  /** Who was let in, and how to ask again whether they still are. */
  admitted(
    passage: { sandboxId: string; by: string },
    recheck: () => Promise<boolean>,
  ): void;
  /** An answer of ours without a body to wait for. */
  answer(response: Response): Response;
  /** Our answer to a failure. */
  refuse(error: unknown): Response;
  /** The app's answer; it is over when its body is. */
  relay(response: UpstreamResponse): Response;
  /** A tunnel, opened by `response`; it is over when both its sides are closed. */
  tunnel(response: Response, tunnel: Tunnel): Response;
}

/** What an account needs beside its exchange. */
export interface AccountOptions {
  /** Undefined where the gateway is full. */
  readonly flight: Flight | undefined;
  readonly cors: CorsDecision;
  readonly accessLog: (record: ExchangeRecord) => void;
  readonly logger: Logger;
  readonly now: () => number;
}

/** Statuses whose responses have no body (RFC 9110 sections 15.3.5, 15.3.6, 15.4.5): Response refuses one. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

/** Close code and reason for each way to end a tunnel from our side (RFC 6455 section 7.4.1). */
const CLOSES: Readonly<Record<AbortReason, [code: number, reason: string]>> = {
  going_away: [1001, "Gateway is restarting"],
  right_ended: [1008, "Access has ended"],
};

/** The status in the log where the client left before there was an answer. */
const CLIENT_CLOSED_REQUEST = 499;

/** Opens the account of one exchange. */
export function openAccount(
  exchange: Exchange,
  options: AccountOptions,
): Account {
  const { flight, cors, now } = options;
  let passage: { sandboxId: string; by: string } | undefined;
  let recheck: (() => Promise<boolean>) | undefined;
  let answeredAt = exchange.startedAt;

  function record(
    status: number,
    end: ExchangeEnd = "complete",
    details: Pick<ExchangeRecord, "error" | "tunnel"> = {},
  ): void {
    options.accessLog({
      requestId: exchange.id,
      method: exchange.method,
      status,
      end,
      sandboxId: passage?.sandboxId,
      port: exchange.host.port,
      by: passage?.by,
      ...details,
      startedAt: exchange.startedAt,
      answeredAt,
      endedAt: now(),
    });
  }

  function settle(...facts: Parameters<typeof record>): void {
    flight?.end();
    record(...facts);
  }

  function shared(response: Response): Response {
    const headers = withCors([...response.headers], cors);
    return new Response(response.body, { status: response.status, headers });
  }

  return {
    admitted(who, stillMay) {
      passage = who;
      recheck = stillMay;
    },

    answer(response) {
      answeredAt = now();
      settle(response.status);
      return shared(response);
    },

    refuse(error) {
      answeredAt = now();
      if (
        error instanceof UpstreamError &&
        (error.code === "aborted" || error.code === "body_failed")
      ) {
        settle(CLIENT_CLOSED_REQUEST, "client_gone");
        return new Response(null, { status: 400 });
      }
      const failure = error instanceof GatewayError
        ? error
        : new GatewayError("internal", "Unexpected failure", { cause: error });
      if (failure.status >= 500) {
        logFailure(options.logger, failure, exchange.id);
      }
      settle(failure.status, "complete", { error: failure.code });
      return shared(problem({
        code: failure.code,
        requestId: exchange.id,
        asPage: wantsDocument(exchange.headers),
        retryAfterSec: failure.retryAfterSec,
      }));
    },

    relay(upstream) {
      const { status } = upstream;
      if (status > 599) {
        discard(upstream.body);
        throw new GatewayError("runner_protocol_error", `Status ${status}`);
      }
      answeredAt = now();
      const fields = responseFields(upstream.headers, exchange.host.base);
      const init = { status, headers: withCors(fields, cors) };
      let { body } = upstream;
      if (BODILESS.has(status)) {
        discard(body);
        body = null;
      } else if (exchange.method === "HEAD" && !hasLength(fields)) {
        // Without a body the front would say that a GET has none.
        body = new Blob([]).stream();
      }
      if (!(body instanceof ReadableStream)) {
        settle(status);
        return new Response(body, init);
      }
      const observed = observe(body, (end) => settle(status, end));
      if (flight !== undefined) {
        flight.abort = observed.abort;
        flight.recheck = recheck;
      }
      return new Response(observed.stream, init);
    },

    tunnel(response, tunnel) {
      answeredAt = now();
      if (flight !== undefined) {
        flight.abort = (reason) => tunnel.close(...CLOSES[reason]);
        flight.recheck = recheck;
        tunnel.released.then(() => flight.end());
      }
      tunnel.closed.then(({ failure: _, reason: __, ...end }) =>
        record(101, "complete", { tunnel: end })
      );
      return response;
    },
  };
}

/** Lets go of a body that nobody will read. */
function discard(body: UpstreamResponse["body"]): void {
  if (body instanceof ReadableStream) body.cancel().catch(() => {});
}

function hasLength(fields: readonly [string, string][]): boolean {
  return fields.some(([name]) => name.toLowerCase() === "content-length");
}
