/**
 * The data plane, one request to a preview host: admit it, forward it or open a tunnel, answer, and settle the
 * account exactly once when it is over.
 */
import { splitAuthKey } from "../auth/auth_key.ts";
import { hostOnlyCookie } from "../auth/cookies.ts";
import { presentedCredentials } from "../auth/credentials.ts";
import type { Gate, Verdict } from "../auth/gate.ts";
import type { SessionSealer } from "../auth/session.ts";
import { GatewayError } from "../errors.ts";
import { isNavigation, mayRedirect } from "../lib/fetch_metadata.ts";
import type {
  ExchangeEnd,
  ExchangeRecord,
} from "../observability/access_log.ts";
import type { Logger } from "../observability/log.ts";
import {
  type AddressRange,
  type Provenance,
  provenance,
} from "../proxy/client_address.ts";
import type { Forwarder } from "../proxy/forward.ts";
import type { Flight, InFlight } from "../proxy/in_flight.ts";
import { responseFields } from "../proxy/response_headers.ts";
import type { AdmittedRequest } from "../proxy/runner_request.ts";
import type { Tunnel } from "../proxy/tunnel.ts";
import { UpstreamError } from "../upstream/errors.ts";
import type { UpstreamResponse } from "../upstream/types.ts";
import { type Exchange, isWebSocketRequest, requestBody } from "./exchange.ts";
import { OWN_ANSWER_FIELDS, problem } from "./problem.ts";
import type { Tunneler } from "./tunnel.ts";

/** Parts of the data plane. */
export interface GatewayOptions {
  readonly scheme: "http" | "https";
  readonly allowedOrigins: ReadonlySet<string>;
  readonly trustedProxies: readonly AddressRange[];
  readonly sessionTtlMs: number;
  readonly gate: Gate;
  readonly sessions: SessionSealer;
  readonly forwarder: Forwarder;
  readonly tunneler: Tunneler;
  readonly inFlight: InFlight;
  readonly accessLog: (record: ExchangeRecord) => void;
  readonly logger: Logger;
  readonly now: () => number;
}

/** Answers requests to preview hosts; never rejects. */
export type Gateway = (exchange: Exchange) => Promise<Response>;

/** Seconds after which a request that met a full gateway may try again. */
const RETRY_AFTER_SEC = 2;

/** Creates the data plane. */
export function createGateway(options: GatewayOptions): Gateway {
  const { scheme, inFlight, now } = options;

  return async function gateway(exchange: Exchange): Promise<Response> {
    const flight = inFlight.begin();
    const account = openAccount(exchange, flight, options);
    try {
      if (flight === undefined) {
        throw new GatewayError("overloaded", "Too many exchanges", {
          retryAfterSec: RETRY_AFTER_SEC,
        });
      }
      return await answer(exchange, account);
    } catch (error) {
      return account.refuse(error);
    }
  };

  async function answer(
    exchange: Exchange,
    account: Account,
  ): Promise<Response> {
    const { method, headers, host } = exchange;
    const from = provenance(exchange.peer, headers, {
      authority: exchange.authority,
      scheme,
      trusted: options.trustedProxies,
    });
    const { target, key } = splitAuthKey(exchange.target);
    const verdict = await options.gate.admit({
      host,
      credentials: presentedCredentials({
        method,
        headers,
        host,
        scheme,
        authKey: key,
        allowedOrigins: options.allowedOrigins,
      }),
      clientAddress: from.clientAddress,
    });
    if (verdict.kind !== "allow") {
      throw new GatewayError(verdict.code, "Refused at the gate");
    }
    account.admitted(verdict.sandboxId, verdict.by);

    const isTunnel = isWebSocketRequest(method, headers);
    if (
      verdict.sessionToken !== undefined && !isTunnel &&
      mayRedirect(method, headers)
    ) {
      return account.close(
        await intoSession(exchange, {
          target,
          sandboxId: verdict.sandboxId,
          token: verdict.sessionToken,
        }),
      );
    }
    const admitted = admit(exchange, { verdict, target, from });
    return isTunnel
      ? await openTunnel(exchange, admitted, account)
      : account.relay(await options.forwarder.forward(admitted));
  }

  function admit(
    exchange: Exchange,
    admission: {
      verdict: Extract<Verdict, { kind: "allow" }>;
      target: string;
      from: Provenance;
    },
  ): AdmittedRequest {
    const { request, method, headers } = exchange;
    return {
      method,
      headers,
      ...requestBody(request, headers),
      target: admission.target,
      sandboxId: admission.verdict.sandboxId,
      port: exchange.host.port,
      forwarded: admission.from.forwarded,
      dropAuthorization: admission.verdict.by === "bearer",
      signal: request.signal,
    };
  }

  /** Moves a key out of the address bar: into a cookie for this host, and on to the same URL without it. */
  async function intoSession(
    exchange: Exchange,
    opened: { target: string; sandboxId: string; token: string },
  ): Promise<Response> {
    const { sandboxId, token } = opened;
    const sealed = await options.sessions.seal({
      label: exchange.host.label,
      sandboxId,
      scope: "sandbox",
      token,
      expiresAt: now() + options.sessionTtlMs,
    });
    const maxAgeSec = Math.floor(options.sessionTtlMs / 1000);
    return new Response(null, {
      status: 303,
      headers: {
        ...OWN_ANSWER_FIELDS,
        // Absolute: a target of `//elsewhere/` must stay a path of this host.
        "location": `${scheme}://${exchange.authority}${opened.target}`,
        "set-cookie": hostOnlyCookie(sealed, { scheme, maxAgeSec }),
        "x-request-id": exchange.id,
      },
    });
  }

  async function openTunnel(
    exchange: Exchange,
    admitted: AdmittedRequest,
    account: Account,
  ): Promise<Response> {
    const opened = await options.tunneler.open(exchange.request, admitted);
    if (opened.kind === "refused") return account.relay(opened.response);
    return account.tunnel(opened.response, opened.tunnel);
  }
}

/** The books of one exchange: whatever way it ends, it is recorded once. */
interface Account {
  admitted(sandboxId: string, by: string): void;
  /** An answer of ours without a body to wait for. */
  close(response: Response): Response;
  /** Our answer to a failure. */
  refuse(error: unknown): Response;
  /** The app's answer; it is over when its body is. */
  relay(response: UpstreamResponse): Response;
  /** A tunnel, opened by `response`; it is over when both its sides are closed. */
  tunnel(response: Response, tunnel: Tunnel): Response;
}

/** Statuses whose responses have no body (RFC 9110 sections 15.3.5, 15.3.6, 15.4.5): Response refuses one. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

/** The close code of a server that goes away (RFC 6455 section 7.4.1). */
const GOING_AWAY = 1001;

/** The status in the log where the client left before there was an answer. */
const CLIENT_CLOSED_REQUEST = 499;

function openAccount(
  exchange: Exchange,
  flight: Flight | undefined,
  options: GatewayOptions,
): Account {
  const { now, accessLog, logger } = options;
  let sandboxId: string | undefined;
  let by: string | undefined;
  let answeredAt = exchange.startedAt;

  function record(
    status: number,
    end: ExchangeEnd = "complete",
    details: Pick<ExchangeRecord, "error" | "tunnel"> = {},
  ): void {
    accessLog({
      ...details,
      requestId: exchange.id,
      method: exchange.method,
      status,
      end,
      sandboxId,
      port: exchange.host.port,
      by,
      startedAt: exchange.startedAt,
      answeredAt,
      endedAt: now(),
    });
  }

  function settle(...facts: Parameters<typeof record>): void {
    flight?.end();
    record(...facts);
  }

  return {
    admitted(id, credential) {
      sandboxId = id;
      by = credential;
    },
    close(response) {
      answeredAt = now();
      settle(response.status);
      return response;
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
        logger.warn("{code}: {reason}", {
          requestId: exchange.id,
          code: failure.code,
          reason: failure.message,
          cause: failure.cause,
        });
      }
      settle(failure.status, "complete", { error: failure.code });
      return problem({
        code: failure.code,
        requestId: exchange.id,
        asPage: isNavigation(exchange.method, exchange.headers),
        retryAfterSec: failure.retryAfterSec,
      });
    },
    relay(upstream) {
      const { status } = upstream;
      if (status > 599) {
        throw new GatewayError("runner_protocol_error", `Status ${status}`);
      }
      answeredAt = now();
      const init = {
        status,
        headers: responseFields(upstream.headers, exchange.host.base),
      };
      let { body } = upstream;
      if (BODILESS.has(status)) {
        if (body instanceof ReadableStream) body.cancel().catch(() => {});
        body = null;
      }
      if (!(body instanceof ReadableStream)) {
        settle(status);
        return new Response(body, init);
      }
      const observed = observe(body, (end) => settle(status, end));
      return new Response(observed, init);
    },
    tunnel(response, tunnel) {
      answeredAt = now();
      if (flight !== undefined) {
        flight.abort = () => tunnel.close(GOING_AWAY, "Gateway is restarting");
        tunnel.released.then(() => flight.end());
      }
      tunnel.closed.then(({ failure: _, reason: __, ...end }) =>
        record(101, "complete", { tunnel: end })
      );
      return response;
    },
  };
}

/** Passes a body on, chunk by chunk and no faster than it is read, and tells once how it ended. */
function observe(
  body: ReadableStream<Uint8Array>,
  onEnd: (end: ExchangeEnd) => void,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        onEnd("complete");
        controller.close();
      } catch (error) {
        onEnd("upstream_failed");
        throw error;
      }
    },
    cancel(reason) {
      onEnd("client_gone");
      return reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
