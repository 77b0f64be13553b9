/**
 * The data plane, one request for a sandbox: admit it, forward it or open a tunnel, and answer. Whatever goes wrong on
 * the way is thrown, and becomes an answer in one place.
 */
import { TOOLBOX_PORT } from "../address/sandbox_ref.ts";
import { isTrustedOrigin } from "../auth/credentials.ts";
import type { Verdict } from "../auth/gate.ts";
import type { SessionSealer } from "../auth/session.ts";
import { GatewayError } from "../errors.ts";
import { mayRedirect } from "../lib/fetch_metadata.ts";
import {
  type AddressRange,
  type Provenance,
  provenance,
} from "../proxy/client_address.ts";
import { speaksCors } from "../proxy/cors.ts";
import type { Forwarder } from "../proxy/forward.ts";
import { responseFields } from "../proxy/response_headers.ts";
import { toolboxResponseFields } from "../proxy/toolbox_response.ts";
import type { UpstreamResponse } from "../upstream/types.ts";
import type { Account } from "./account.ts";
import type { RelayedResponse } from "./client_response.ts";
import { isWebSocketRequest, type SandboxExchange } from "./exchange.ts";
import { loginLocation } from "./login_location.ts";
import { isPreflight, preflightAnswer } from "./preflight.ts";
import { redirect } from "./redirect.ts";
import type { Tunneler } from "./tunnel.ts";
import { type Admission, Visit, type VisitOptions } from "./visit.ts";
import type { Warning } from "./warning.ts";
import type { WithAccount } from "./with_account.ts";

/** Parts of the data plane. */
export interface GatewayOptions extends VisitOptions {
  readonly answersPreflights: boolean;
  readonly trustedProxies: readonly AddressRange[];
  readonly sessionTtlMs: number;
  readonly sessions: Pick<SessionSealer, "seal">;
  /** Whether only toolboxes are served. */
  readonly toolboxOnly: boolean;
  /** Whether there is a login to send people to. */
  readonly hasLogin: () => boolean;
  /** Undefined where nobody is warned. */
  readonly warning: Warning | undefined;
  readonly forwarder: Forwarder;
  readonly tunneler: Tunneler;
  readonly withAccount: WithAccount;
  readonly now: () => number;
}

/** Answers requests for sandboxes; never rejects. */
export type Gateway = (exchange: SandboxExchange) => Promise<Response>;

/** An exchange on its way, with what is known and kept of it. */
interface Passing {
  readonly exchange: SandboxExchange;
  readonly from: Provenance;
  readonly account: Account;
}

/** Creates the data plane. */
export function createGateway(options: GatewayOptions): Gateway {
  const { scheme, cookies, forwarder, allowedOrigins } = options;

  return function gateway(exchange: SandboxExchange): Promise<Response> {
    const { route, headers, host } = exchange;
    const from = provenance(exchange.peer, headers, {
      authority: exchange.authority,
      scheme,
      trusted: options.trustedProxies,
    });
    const kind = {
      route,
      port: host.port,
      clientAddress: from.clientAddress,
      isTrustedOrigin: (origin: string) =>
        isTrustedOrigin(origin, { host, scheme, allowedOrigins }),
    };
    return options.withAccount(
      exchange,
      kind,
      (account) => pass({ exchange, from, account }),
    );
  };

  /** Answers what is served at all. */
  function pass(passing: Passing): Promise<Response> {
    const { exchange, account } = passing;
    if (options.toolboxOnly && exchange.host.port !== TOOLBOX_PORT) {
      throw new GatewayError("port_not_served", "Toolbox only");
    }
    return isPreflight(exchange, account.cors)
      ? answerPreflight(passing)
      : answer(passing);
  }

  async function answer(passing: Passing): Promise<Response> {
    const { exchange, account } = passing;
    const { method, headers } = exchange;
    if (options.warning !== undefined) {
      const asked = await options.warning.intercept(exchange);
      if (asked !== undefined) return account.answer(asked);
    }
    const visit = visitOf(passing);
    const found = visit.verdict();
    const verdict = found instanceof Promise ? await found : found;
    if (verdict.kind !== "allow") {
      return turnAway(passing, verdict, visit.target);
    }
    const { target } = visit;
    account.admitted(verdict, visit);

    const isTunnel = isWebSocketRequest(method, headers);
    if (
      target !== exchange.target && exchange.route === "preview" &&
      !isTunnel && mayRedirect(method, headers)
    ) {
      // The key leaves the address bar, where the app's scripts could read it, whatever opened the door.
      const cookies = verdict.sessionToken === undefined
        ? []
        : [await sealKeySession(exchange, verdict.sessionToken)];
      // Absolute: a target of `//elsewhere/` must stay a path of this host.
      const location = `${scheme}://${exchange.authority}${target}`;
      return account.answer(redirect(303, location, cookies));
    }
    if (isTunnel) account.becomesTunnel();
    const admitted = visit.request(verdict);
    const request = admitted instanceof Promise ? await admitted : admitted;
    if (!isTunnel) {
      return account.relay(
        relayed(exchange, await forwarder.forward(request)),
      );
    }
    const opened = await options.tunneler.open(exchange.request, request);
    return opened.kind === "refused"
      ? account.relay(relayed(exchange, opened.response))
      : account.tunnel(opened.response, opened.tunnel);
  }

  function visitOf({ exchange, from, account }: Passing): Visit {
    return new Visit(exchange, { from, trail: account.trail }, options);
  }

  /** People are sent to log in where that can help; everything else learns that it is not let in, and why. */
  function turnAway(
    { exchange, account }: Passing,
    verdict: Exclude<Verdict, Admission>,
    target: string,
  ): Response {
    const location = verdict.kind === "login" && options.hasLogin()
      ? loginLocation(exchange, { scheme, target })
      : undefined;
    if (location === undefined) {
      throw new GatewayError(verdict.code, "Refused at the gate");
    }
    return account.answer(redirect(302, location));
  }

  /** A preflight goes to the app where the gate lets it pass, and what the app leaves open we answer: see cors.ts. */
  async function answerPreflight(passing: Passing): Promise<Response> {
    const { exchange, account } = passing;
    const response = options.answersPreflights
      ? undefined
      : await appAnswer(passing);
    return response === undefined
      ? account.answer(preflightAnswer(exchange, account.cors))
      : account.relay(relayed(exchange, response));
  }

  /** The app's own word on a preflight; undefined where it has none, or cannot be asked. */
  async function appAnswer(
    passing: Passing,
  ): Promise<UpstreamResponse | undefined> {
    const { account } = passing;
    try {
      const visit = visitOf(passing);
      const verdict = await visit.verdict();
      if (verdict.kind !== "allow") return undefined;
      account.admitted(verdict, visit);
      const response = await forwarder.forward(await visit.request(verdict));
      if (speaksCors(response.headers)) return response;
      if (response.body instanceof ReadableStream) await response.body.cancel();
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
    }
    return undefined;
  }

  /** A Set-Cookie line that stands for the key which came in the query. */
  async function sealKeySession(
    { host }: SandboxExchange,
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

/** The runner's response as the client of this route gets it. */
function relayed(
  { route, host, authority }: SandboxExchange,
  { status, headers, body }: UpstreamResponse,
): RelayedResponse {
  const fields = route === "toolbox"
    ? toolboxResponseFields(headers, { sandboxId: host.label, authority })
    : responseFields(headers, host.base);
  return { status, fields, body };
}
