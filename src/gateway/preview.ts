/**
 * The data plane: admits a request for a sandbox, forwards it or opens a tunnel, and responds. Every failure on the way
 * is thrown, and becomes a response in one place (see track_exchange.ts).
 */
import { TOOLBOX_PORT } from "../address/grammar.ts";
import { type Credential, isTrustedOrigin } from "../auth/credentials.ts";
import type { Admission, Verdict } from "../auth/gate.ts";
import type { SessionSealer } from "../auth/session.ts";
import { GatewayError } from "../errors.ts";
import { mayRedirect } from "../lib/fetch_metadata.ts";
import { redirect } from "../pages/redirect.ts";
import { hasAllowOrigin } from "../proxy/cors.ts";
import type { Forwarder } from "../proxy/forward.ts";
import { responseFields } from "../proxy/response_headers.ts";
import type { AdmittedRequest } from "../proxy/runner_request.ts";
import { toolboxResponseFields } from "../proxy/toolbox_response.ts";
import {
  discardBody,
  type UpstreamResponse,
} from "../upstream/http1/message.ts";
import { AccessRequest, type AccessRequestOptions } from "./access_request.ts";
import type { RelayedResponse } from "./client_response.ts";
import {
  destinationOf,
  isWebSocketRequest,
  type PreviewExchange,
  type SandboxExchange,
} from "./exchange.ts";
import type { ExchangeTracker } from "./exchange_tracker.ts";
import { loginRedirectLocation } from "./login_redirect.ts";
import type { TunnelOpener } from "./open_tunnel.ts";
import { isPreflight, preflightAnswer } from "./preflight.ts";
import type { TrackExchange } from "./track_exchange.ts";
import type { Warning } from "./warning.ts";

/** Dependencies of the data plane. */
export interface GatewayOptions extends AccessRequestOptions {
  /** Whether preflights are answered without asking the app. */
  readonly answersPreflights: boolean;
  readonly sessionTtlMs: number;
  readonly sessions: Pick<SessionSealer, "seal">;
  /** Whether only toolboxes are served, and no other port. */
  readonly toolboxOnly: boolean;
  /** Whether there is a login to send people to. */
  readonly hasLogin: () => boolean;
  /** Undefined if it is switched off. */
  readonly warning: Warning | undefined;
  readonly forwarder: Forwarder;
  readonly tunnelOpener: TunnelOpener;
  readonly trackExchange: TrackExchange;
  readonly now: () => number;
}

/** Answers requests for sandboxes; never rejects. */
export type Gateway = (exchange: SandboxExchange) => Promise<Response>;

/** An exchange that is being handled. */
interface Context<E extends SandboxExchange = SandboxExchange> {
  readonly exchange: E;
  readonly tracker: ExchangeTracker;
}

/** Creates the data plane. */
export function createGateway(options: GatewayOptions): Gateway {
  const { scheme, cookies, forwarder, allowedOrigins } = options;

  return function gateway(exchange: SandboxExchange): Promise<Response> {
    const host = destinationOf(exchange);
    const kind = {
      route: exchange.route,
      port: host.port,
      isTrustedOrigin: (origin: string) =>
        isTrustedOrigin(origin, { host, scheme, allowedOrigins }),
    };
    return options.trackExchange(
      exchange,
      kind,
      (tracker) => handle({ exchange, tracker }, host.port),
    );
  };

  function handle(context: Context, port: number): Promise<Response> {
    const { exchange, tracker } = context;
    if (options.toolboxOnly && port !== TOOLBOX_PORT) {
      throw new GatewayError("port_not_served", "Toolbox only");
    }
    if (exchange.method === "TRACE") {
      // The response would echo what we add for the runner, its key included (RFC 9110 section 9.3.8).
      throw new GatewayError("method_not_allowed", "TRACE");
    }
    return isPreflight(exchange, tracker.cors)
      ? answerPreflight(context)
      : answer(context);
  }

  async function answer(context: Context): Promise<Response> {
    const { exchange, tracker } = context;
    if (options.warning !== undefined && exchange.route === "preview") {
      const page = await options.warning.intercept(exchange);
      if (page !== undefined) return tracker.answer(page);
    }
    const access = accessRequestOf(context);
    const pending = access.verdict();
    const verdict = pending instanceof Promise ? await pending : pending;
    if (verdict.kind !== "allow") {
      return turnAway(context, verdict, access.target);
    }
    tracker.grant(verdict, access);

    const { method, headers } = exchange;
    const isTunnel = isWebSocketRequest(method, headers);
    if (
      access.target !== exchange.target && exchange.route === "preview" &&
      !isTunnel && mayRedirect(method, headers)
    ) {
      return tracker.answer(
        await redirectWithoutKey(exchange, access.target, verdict.credential),
      );
    }
    if (isTunnel) tracker.reserveTunnel();
    const prepared = access.admitted(verdict);
    const request = prepared instanceof Promise ? await prepared : prepared;
    return isTunnel ? openTunnel(context, request) : forward(context, request);
  }

  async function forward(
    { exchange, tracker }: Context,
    request: AdmittedRequest,
  ): Promise<Response> {
    const response = await forwarder.forward(
      tracker.watchUpload(request),
      tracker.stats,
    );
    return tracker.relay(relayedResponse(exchange, response));
  }

  async function openTunnel(
    { exchange, tracker }: Context,
    request: AdmittedRequest,
  ): Promise<Response> {
    const opened = await options.tunnelOpener.open(
      exchange.request,
      request,
      tracker.stats,
    );
    return opened.kind === "refused"
      ? tracker.relay(relayedResponse(exchange, opened.response))
      : tracker.tunnel(opened.response, opened.tunnel);
  }

  function accessRequestOf({ exchange, tracker }: Context) {
    return new AccessRequest(exchange, tracker.stats, options);
  }

  /**
   * Sends a visitor to log in if that may help.
   *
   * @throws {GatewayError} the verdict's code otherwise
   */
  function turnAway(
    { exchange, tracker }: Context,
    verdict: Exclude<Verdict, Admission>,
    target: string,
  ): Response {
    const mayLogIn = verdict.kind === "login" && options.hasLogin() &&
      exchange.route === "preview";
    const location = mayLogIn
      ? loginRedirectLocation(exchange, { scheme, target })
      : undefined;
    if (location === undefined) {
      throw new GatewayError(verdict.code, "Refused at the gate");
    }
    return tracker.answer(redirect(302, location));
  }

  /** Answers a preflight with the app's answer if there is one, and with ours otherwise (see cors.ts). */
  async function answerPreflight(context: Context): Promise<Response> {
    const { exchange, tracker } = context;
    const response = options.answersPreflights
      ? undefined
      : await appAnswer(context);
    return response === undefined
      ? tracker.answer(preflightAnswer(exchange, tracker.cors))
      : tracker.relay(relayedResponse(exchange, response));
  }

  /** The app's answer to a preflight; undefined if it sets no Access-Control-Allow-Origin, or cannot be asked. */
  async function appAnswer(
    context: Context,
  ): Promise<UpstreamResponse | undefined> {
    try {
      const access = accessRequestOf(context);
      const verdict = await access.verdict();
      if (verdict.kind !== "allow") return undefined;
      context.tracker.grant(verdict, access);
      const response = await forwarder.forward(
        await access.admitted(verdict),
        context.tracker.stats,
      );
      if (hasAllowOrigin(response.headers)) return response;
      discardBody(response.body);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
    }
    return undefined;
  }

  /**
   * Redirects to the same address without the key, which the app's scripts could otherwise read, whichever credential
   * was used. If it was the key, it becomes a session.
   */
  async function redirectWithoutKey(
    { host, authority }: PreviewExchange,
    target: string,
    credential: Credential | undefined,
  ): Promise<Response> {
    const session = credential?.kind === "auth_key"
      ? [await tokenSessionCookie(host.label, credential.token)]
      : [];
    // Absolute: a target of `//elsewhere/` must stay a path of this host.
    return redirect(303, `${scheme}://${authority}${target}`, session);
  }

  /** The Set-Cookie value of a session that stands for the key. */
  async function tokenSessionCookie(
    label: string,
    token: string,
  ): Promise<string> {
    const sealed = await options.sessions.seal({
      kind: "key",
      sandboxId: label,
      token,
      expiresAt: options.now() + options.sessionTtlMs,
    });
    const maxAgeSec = Math.floor(options.sessionTtlMs / 1000);
    return cookies.hostOnly(cookies.previewTokenSession, sealed, maxAgeSec);
  }
}

/** An upstream's response as the client of this route gets it. */
function relayedResponse(
  exchange: SandboxExchange,
  { status, headers, body }: UpstreamResponse,
): RelayedResponse {
  const fields = exchange.route === "toolbox"
    ? toolboxResponseFields(headers, exchange)
    : responseFields(headers, exchange.host.base);
  return { status, fields, body };
}
