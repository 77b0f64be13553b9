/**
 * The data plane, one request to a preview host: admit it, forward it or open a tunnel, and answer. Whatever goes wrong
 * on the way is thrown, and becomes an answer in one place.
 */
import { splitAuthKey } from "../auth/auth_key.ts";
import { presentedCredentials } from "../auth/credentials.ts";
import type { Gate, Verdict } from "../auth/gate.ts";
import type { OwnCookies } from "../auth/own_cookies.ts";
import type { SessionSealer } from "../auth/session.ts";
import type { CorsMode } from "../config.ts";
import { GatewayError } from "../errors.ts";
import { mayRedirect } from "../lib/fetch_metadata.ts";
import type { ExchangeRecord } from "../observability/access_log.ts";
import type { Logger } from "../observability/log.ts";
import {
  type AddressRange,
  type Provenance,
  provenance,
} from "../proxy/client_address.ts";
import {
  type CorsDecision,
  corsDecision,
  type Preflight,
  preflightFields,
  preflightOf,
  speaksCors,
} from "../proxy/cors.ts";
import type { Forwarder } from "../proxy/forward.ts";
import type { InFlight } from "../proxy/in_flight.ts";
import type { AdmittedRequest } from "../proxy/runner_request.ts";
import type { UpstreamResponse } from "../upstream/types.ts";
import { type Account, openAccount } from "./account.ts";
import { type Exchange, isWebSocketRequest, requestBody } from "./exchange.ts";
import { loginLocation } from "./login_location.ts";
import { OWN_ANSWER_FIELDS } from "./problem.ts";
import { redirect } from "./redirect.ts";
import type { Tunneler } from "./tunnel.ts";

/** Parts of the data plane. */
export interface GatewayOptions {
  readonly scheme: "http" | "https";
  readonly cookies: OwnCookies;
  readonly corsMode: CorsMode;
  readonly allowedOrigins: ReadonlySet<string>;
  readonly trustedProxies: readonly AddressRange[];
  readonly sessionTtlMs: number;
  readonly gate: Gate;
  readonly sessions: Pick<SessionSealer, "seal">;
  /** Whether there is a login to send people to. */
  readonly hasLogin: () => boolean;
  readonly forwarder: Forwarder;
  readonly tunneler: Tunneler;
  readonly inFlight: InFlight;
  readonly accessLog: (record: ExchangeRecord) => void;
  readonly logger: Logger;
  readonly now: () => number;
}

/** Answers requests to preview hosts; never rejects. */
export type Gateway = (exchange: Exchange) => Promise<Response>;

/** What the gate said to an exchange, and what was learnt on the way there. */
interface Visit {
  readonly verdict: Verdict;
  /** The app's target: without our key. */
  readonly target: string;
  readonly from: Provenance;
  /** Whether the same request would still be let in. */
  readonly recheck: () => Promise<boolean>;
}

/** A visit that was let in. */
type Admitted = Visit & { verdict: Extract<Verdict, { kind: "allow" }> };

/** Creates the data plane. */
export function createGateway(options: GatewayOptions): Gateway {
  const { scheme, cookies, gate, forwarder } = options;

  return async function gateway(exchange: Exchange): Promise<Response> {
    const cors = corsDecision({
      mode: options.corsMode,
      headers: exchange.headers,
      host: exchange.host,
      scheme,
      allowedOrigins: options.allowedOrigins,
    });
    const flight = options.inFlight.begin();
    const account = openAccount(exchange, { ...options, flight, cors });
    try {
      if (flight === undefined) {
        throw new GatewayError("overloaded", "Too many exchanges");
      }
      const preflight = preflightOf(exchange.method, exchange.headers);
      return preflight === undefined || cors.kind === "off"
        ? await answer(exchange, account)
        : await answerPreflight(exchange, account, { preflight, cors });
    } catch (error) {
      return account.refuse(error);
    }
  };

  async function answer(
    exchange: Exchange,
    account: Account,
  ): Promise<Response> {
    const { method, headers } = exchange;
    const visit = await knock(exchange);
    if (!isAdmitted(visit)) return turnAway(exchange, visit, account);
    const { verdict, target } = visit;
    account.admitted(verdict, visit.recheck);

    const isTunnel = isWebSocketRequest(method, headers);
    if (
      target !== exchange.target && !isTunnel && mayRedirect(method, headers)
    ) {
      // The key leaves the address bar, where the app's scripts could read it, whatever opened the door.
      const cookies = verdict.sessionToken === undefined
        ? []
        : [await sealKeySession(exchange, verdict.sessionToken)];
      // Absolute: a target of `//elsewhere/` must stay a path of this host.
      const location = `${scheme}://${exchange.authority}${target}`;
      return account.answer(redirect(303, location, cookies));
    }
    const request = await admittedRequest(exchange, visit);
    if (!isTunnel) return account.relay(await forwarder.forward(request));
    const opened = await options.tunneler.open(exchange.request, request);
    return opened.kind === "refused"
      ? account.relay(opened.response)
      : account.tunnel(opened.response, opened.tunnel);
  }

  /** Takes a request to the gate. */
  async function knock(exchange: Exchange): Promise<Visit> {
    const { method, headers, host } = exchange;
    const from = provenance(exchange.peer, headers, {
      authority: exchange.authority,
      scheme,
      trusted: options.trustedProxies,
    });
    const { target, key } = splitAuthKey(exchange.target);
    const request = {
      host,
      credentials: presentedCredentials({
        method,
        headers,
        host,
        scheme,
        cookies,
        authKey: key,
        allowedOrigins: options.allowedOrigins,
      }),
      clientAddress: from.clientAddress,
    };
    const verdict = await gate.admit(request);
    return {
      verdict,
      target,
      from,
      async recheck() {
        try {
          const again = await gate.admit({ ...request, isRecheck: true });
          return again.kind === "allow";
        } catch {
          return true; // an outage takes nobody's right away
        }
      },
    };
  }

  /** People are sent to log in where that can help; everything else learns that it is not let in, and why. */
  function turnAway(
    exchange: Exchange,
    { verdict, target }: Visit,
    account: Account,
  ): Response {
    if (verdict.kind === "allow") throw new TypeError("Cannot turn away");
    const location = verdict.kind === "login" && options.hasLogin()
      ? loginLocation(exchange, { scheme, target })
      : undefined;
    if (location === undefined) {
      throw new GatewayError(verdict.code, "Refused at the gate");
    }
    return account.answer(redirect(302, location));
  }

  /** A preflight goes to the app where the gate lets it pass, and what the app leaves open we answer: see cors.ts. */
  async function answerPreflight(
    exchange: Exchange,
    account: Account,
    asked: { preflight: Preflight; cors: CorsDecision },
  ): Promise<Response> {
    const response = options.corsMode === "reflect"
      ? undefined
      : await appAnswer(exchange, account);
    if (response !== undefined) return account.relay(response);
    return account.answer(
      new Response(null, {
        status: 204,
        headers: [
          ...Object.entries(OWN_ANSWER_FIELDS),
          ...preflightFields(asked.preflight, asked.cors),
        ],
      }),
    );
  }

  /** The app's own word on a preflight; undefined where it has none, or cannot be asked. */
  async function appAnswer(
    exchange: Exchange,
    account: Account,
  ): Promise<UpstreamResponse | undefined> {
    try {
      const visit = await knock(exchange);
      if (!isAdmitted(visit)) return undefined;
      account.admitted(visit.verdict, visit.recheck);
      const response = await forwarder.forward(
        await admittedRequest(exchange, visit),
      );
      if (speaksCors(response.headers)) return response;
      if (response.body instanceof ReadableStream) await response.body.cancel();
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
    }
    return undefined;
  }

  /** A Set-Cookie line that stands for the key which came in the query. */
  async function sealKeySession(
    { host }: Exchange,
    token: string,
  ): Promise<string> {
    const sealed = await options.sessions.seal({
      kind: "key",
      label: host.label,
      sandboxId: host.label,
      scope: "sandbox",
      token,
      expiresAt: options.now() + options.sessionTtlMs,
    });
    const maxAgeSec = Math.floor(options.sessionTtlMs / 1000);
    return cookies.hostOnly(cookies.keySession, sealed, maxAgeSec);
  }
}

function isAdmitted(visit: Visit): visit is Admitted {
  return visit.verdict.kind === "allow";
}

async function admittedRequest(
  exchange: Exchange,
  { verdict, target, from }: Admitted,
): Promise<AdmittedRequest> {
  const { request, headers } = exchange;
  return {
    method: exchange.method,
    headers,
    ...await requestBody(request, headers),
    target,
    sandboxId: verdict.sandboxId,
    port: exchange.host.port,
    forwarded: from.forwarded,
    dropAuthorization: verdict.by === "bearer",
    signal: () => request.signal,
  };
}
