/**
 * Handles requests to preview hosts and toolboxes, step by step; the numbers are those of docs/architecture.md. Every
 * failure on the way is thrown, and becomes a response in one place (see dispatch.ts).
 */
import { loggedLabel, TOOLBOX_PORT } from "../address/grammar.ts";
import type { HostParser } from "../address/preview_host.ts";
import type { Gate } from "../auth/gate.ts";
import { type Grant, sessionFor } from "../auth/grants.ts";
import type { Login } from "../auth/login_flow.ts";
import type { SessionSealer } from "../auth/session.ts";
import type { Admission, Verdict } from "../auth/verdict.ts";
import { ERRORS } from "../error_codes.ts";
import { type ErrorAdvice, type ErrorCode, GatewayError } from "../errors.ts";
import {
  isAheadOfTime,
  isFramed,
  isWindow,
  wantsDocument,
} from "../http/fetch_metadata.ts";
import { clientKey } from "../lib/client_key.ts";
import type { AccessEvents } from "../observability/access_events.ts";
import { redirect } from "../pages/redirect.ts";
import { hasAllowOrigin, type Preflight } from "../proxy/cors.ts";
import type { Forwarder } from "../proxy/forward.ts";
import { discardBody } from "../stream/response_body.ts";
import type { UpstreamResponse } from "../upstream/http1/message.ts";
import {
  type PlantedCookiesParts,
  withoutPlantedCookies,
} from "./cookie_refusal.ts";
import { type Feature, firstAnswer, type WayToLogin } from "./feature.ts";
import { loginRedirectLocation } from "./login_redirect.ts";
import { missingSession } from "./missing_session.ts";
import { openTunnel, type TunnelLimits } from "./open_tunnel.ts";
import { OpenedLinks } from "./opened_links.ts";
import { preflightResponse } from "./own_response.ts";
import type { ExchangeServices } from "./received_request.ts";
import {
  PreviewExchange,
  type SandboxExchange,
  type ToolboxExchange,
} from "./sandbox_exchange.ts";
import { type SandboxStateParts, withSandboxState } from "./sandbox_state.ts";

interface SandboxHandlerParts extends
  Pick<
    ExchangeServices,
    "corsMode" | "scheme" | "cookies" | "allowedOrigins" | "now"
  >,
  PlantedCookiesParts,
  SandboxStateParts {
  readonly toolboxOnly: boolean;
  readonly sessionTtlMs: number;
  readonly tunnelLimits: TunnelLimits;
  readonly gate: Gate;
  /** Told of credentials that were refused, and of grants. */
  readonly accessEvents: Pick<AccessEvents, "refused" | "usedGrant">;
  readonly sessions: Pick<SessionSealer, "open" | "seal">;
  /** The login to send people to. */
  readonly login: Pick<Login, "state">;
  readonly features: readonly Feature[];
  readonly forwarder: Forwarder;
  /** Whether a name still leads somewhere. */
  readonly parseHost: HostParser;
}

/** Handles requests for sandboxes. */
export class SandboxHandlers {
  readonly #parts: SandboxHandlerParts;
  readonly #openedLinks: OpenedLinks;
  /** The features that see what is relayed. */
  readonly #relaying: readonly Feature[];

  constructor(parts: SandboxHandlerParts) {
    this.#parts = parts;
    this.#openedLinks = new OpenedLinks(parts.now);
    this.#relaying = parts.features.filter(({ relayed }) => relayed);
  }

  /** Answers a request to a preview host. */
  async preview(x: PreviewExchange): Promise<Response> {
    const { gate, features, toolboxOnly } = this.#parts;
    try {
      x.checkLimits(); // 1 dispatch
    } catch (error) {
      throw await withoutPlantedCookies(error, x, this.#parts);
    }
    if (toolboxOnly && x.port !== TOOLBOX_PORT) {
      throw new GatewayError("port_not_served", "Toolbox only");
    }
    checkMethod(x.method);
    if (x.preflight !== undefined) return await this.#preflight(x, x.preflight);
    if (x.grantInQuery.secret !== undefined && isAheadOfTime(x.headers)) {
      throw new GatewayError("prefetch_refused", "Nobody has opened it yet");
    }
    const early = await firstAnswer(features, (one) => one.beforeGate?.(x)); // 2 features
    if (early !== undefined) return x.answer(early);
    x.progress.onLookups();
    const hasOpenedLink = this.#openedLinks.take(x);
    const judged = gate.admit(x); // 3 gate
    const verdict = judged instanceof Promise ? await judged : judged;
    if (verdict.kind !== "allow") {
      return await this.#turnAway(x, verdict, hasOpenedLink);
    }
    this.#grant(x, verdict);
    if (x.redirectsWithoutToken && !x.isWebSocket) {
      return x.answer(await this.#redirectWithoutToken(x, verdict));
    }
    const ask = (one: Feature) => one.admitted?.(x, verdict);
    const instead = await firstAnswer(features, ask); // 2 features
    if (instead !== undefined) return x.answer(instead);
    return await this.#carry(x, verdict); // 4 to 7
  }

  /** Answers a request for a sandbox's toolbox. */
  async toolbox(x: ToolboxExchange): Promise<Response> {
    x.checkLimits(); // 1 dispatch
    checkMethod(x.method);
    if (x.preflight !== undefined) return await this.#preflight(x, x.preflight);
    x.progress.onLookups();
    const verdict = await this.#parts.gate.admit(x); // 3 gate
    if (verdict.kind !== "allow") {
      const isUrl = verdict.code === "signed_url_invalid";
      const endedAt = isUrl ? x.urlEndedAt : undefined;
      throw await this.#refusal(x, verdict, { endedAt });
    }
    this.#grant(x, verdict);
    return await this.#carry(x, verdict); // 4 to 7
  }

  /** Takes an admitted request to the app, and answers with its response or an open WebSocket. */
  async #carry(x: SandboxExchange, admission: Admission): Promise<Response> {
    const opening = x.openBody(); // once: whether there is one, only its stream may tell
    if (opening !== undefined) await opening;
    try {
      return await this.#exchange(x, admission);
    } catch (error) {
      const explained = await this.#explain(error, x, admission);
      if (explained instanceof Response) return x.answer(explained);
      throw explained;
    }
  }

  async #exchange(
    x: SandboxExchange,
    admission: Admission,
  ): Promise<Response> {
    const { forwarder, tunnelLimits } = this.#parts;
    if (admission.failure !== undefined) throw admission.failure;
    if (!x.isWebSocket) {
      const response = await forwarder.forward(x);
      return x.relay(this.#relayed(response, x, admission));
    }
    const opened = await openTunnel(x, forwarder, tunnelLimits);
    return opened.kind === "refused"
      ? x.relay(this.#relayed(opened.response, x, admission))
      : x.tunnel(opened);
  }

  /** What features make of the app's response. */
  #relayed(
    upstream: UpstreamResponse,
    x: SandboxExchange,
    admission: Admission,
  ): UpstreamResponse {
    if (!(x instanceof PreviewExchange)) return upstream;
    let response = upstream;
    for (const feature of this.#relaying) {
      response = feature.relayed?.(response, x, admission) ?? response;
    }
    return response;
  }

  /** What to do about a failure: the sandbox's state may say more of it, and a feature may do something. */
  async #explain(
    error: unknown,
    x: SandboxExchange,
    admission: Admission,
  ): Promise<unknown> {
    const { gate, features } = this.#parts;
    const isMember = () => gate.isMember(admission);
    const toLogin = () => {
      if (!(x instanceof PreviewExchange)) return undefined;
      const url = this.#loginUrl(x);
      return url === undefined ? undefined : this.#departure(x, url);
    };
    let failure = await withSandboxState(error, x, isMember, this.#parts);
    for (const feature of features) {
      const explained = await feature.explain?.(failure, x, admission, toLogin);
      if (explained instanceof GatewayError) failure = explained;
      else if (explained !== undefined) return explained;
    }
    return failure;
  }

  /** Answers a preflight with the app's answer if there is one, and with ours otherwise (see cors.ts). */
  async #preflight(
    x: SandboxExchange,
    preflight: Preflight,
  ): Promise<Response> {
    const isOurs = this.#parts.corsMode === "reflect";
    const response = isOurs ? undefined : await this.#appAnswer(x);
    return response === undefined
      ? x.answer(preflightResponse(preflight, x))
      : x.relay(response);
  }

  /** The app's answer to a preflight; undefined if it sets no Access-Control-Allow-Origin, or cannot be asked. */
  async #appAnswer(x: SandboxExchange): Promise<UpstreamResponse | undefined> {
    const { gate, forwarder } = this.#parts;
    try {
      x.progress.onLookups();
      const verdict = await gate.admit(x);
      if (verdict.kind !== "allow" || verdict.failure) return undefined;
      this.#grant(x, verdict);
      await x.openBody();
      const response = await forwarder.forward(x);
      if (hasAllowOrigin(response.headers)) return response;
      discardBody(response.body);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
    }
    return undefined;
  }

  #grant(x: SandboxExchange, admission: Admission): void {
    const { gate, accessEvents, parseHost } = this.#parts;
    const { sandboxId, subject, grant } = admission;
    if (grant !== undefined) {
      accessEvents.usedGrant({ ...factsOf(x), sandboxId, subject, grant });
    }
    let latest = admission;
    const { name } = x;
    x.grant(admission, async () => {
      // Where it leads elsewhere, what has begun may go on.
      if (name !== undefined && parseHost(name).kind !== "preview") {
        return false;
      }
      const verdict = await gate.readmit(x, latest);
      if (verdict.kind !== "allow") return false;
      latest = verdict;
      return true;
    });
  }

  /**
   * Sends a visitor to log in if that may help. Who came by a link with a preview token first reads why it opens nothing
   * any more: they may have no account there. In a frame nobody logs in, and who has just lost a session reads so first.
   * @throws {GatewayError} the verdict's code otherwise, `credential_invalid`, or as {@linkcode missingSession} says
   */
  async #turnAway(
    x: PreviewExchange,
    verdict: Exclude<Verdict, Admission>,
    hasOpenedLink: boolean,
  ): Promise<Response> {
    const hasLogin = this.#parts.login.state === "on";
    // Only what says that it is a window is surely no frame, where no login begins.
    const ancestors = verdict.kind === "deny" && !isWindow(x.headers)
      ? verdict.ancestors
      : undefined;
    const mayLogIn = hasLogin &&
      (verdict.kind === "login" ||
        verdict.code === "grant_invalid" && ancestors === undefined);
    const loginUrl = mayLogIn ? this.#loginUrl(x) : undefined;
    const way = loginUrl && this.#departure(x, loginUrl);
    const advice: ErrorAdvice = way
      ? { retryUrl: way.location, headers: way.headers }
      : {};
    if (verdict.kind === "deny") {
      throw await this.#refusal(x, verdict, { ...advice, ancestors });
    }
    if (
      wantsDocument(x.headers) && !isFramed(x.headers) &&
      await this.#hasFormerToken(x)
    ) {
      const refused = { code: "credential_invalid" } as const;
      throw await this.#refusal(x, refused, advice);
    }
    if (verdict.code === "login_required") {
      const known = { ...this.#parts, hasOpenedLink, hasLogin, loginUrl };
      const failure = missingSession(x, known);
      if (failure !== undefined) throw failure;
    }
    if (!way) throw await this.#refusal(x, verdict);
    const lines = way.headers.map(([, value]) => value);
    return x.answer(redirect(302, way.location, lines));
  }

  /** Where a visitor can log in; undefined if that is not possible from here. */
  #loginUrl(x: PreviewExchange): string | undefined {
    const { login, scheme } = this.#parts;
    return login.state === "on" ? loginRedirectLocation(x, scheme) : undefined;
  }

  /** How a visitor gets to the login, from a redirect or by a page's link, and what the browser has to remember. */
  #departure(x: PreviewExchange, loginUrl: string): WayToLogin {
    for (const feature of this.#parts.features) {
      const found = feature.departure?.(x, loginUrl);
      if (found === undefined) continue;
      const { location, setCookie } = found;
      return { location, headers: [["set-cookie", setCookie]] };
    }
    return { location: loginUrl, headers: [] };
  }

  /** The error for a verdict that does not admit. A credential that was refused is logged; none at all is nobody's. */
  async #refusal(
    x: SandboxExchange,
    { code, grant }: {
      readonly code: ErrorCode;
      readonly grant?: Grant | undefined;
    },
    advice: ErrorAdvice = {},
  ): Promise<unknown> {
    const { label, port } = x;
    if (ERRORS[code].credential !== "missing") {
      const sandboxId = loggedLabel(label);
      const facts = { ...factsOf(x), sandboxId, code, grant };
      this.#parts.accessEvents.refused(facts);
    }
    const error = new GatewayError(code, "Refused at the gate", { advice });
    if (code !== "sandbox_deleted") return error;
    // Only members are told that: Daytona may have ended it by itself.
    const refused = { sandboxId: label, sandboxPort: port, isAnonymous: false };
    const isMember = () => Promise.resolve(true);
    return await withSandboxState(error, refused, isMember, this.#parts);
  }

  /** True if a refused request has the token of a link, or the session that it has become. */
  async #hasFormerToken(x: PreviewExchange): Promise<boolean> {
    for (const credential of x.credentials()) {
      if (credential.kind === "auth_key") return true;
      if (credential.kind !== "session") continue;
      const session = await this.#parts.sessions.open(credential.sealed);
      if (session?.kind === "key" && session.sandboxId === x.label) return true;
    }
    return false;
  }

  /**
   * Redirects to the same address without the preview token, which the app's scripts could otherwise read, whichever
   * credential was used. If it was that token, it becomes a session.
   */
  async #redirectWithoutToken(
    x: PreviewExchange,
    admission: Admission,
  ): Promise<Response> {
    const { authority, appTarget, headers } = x;
    const setCookie = await this.#sessionOf(x, admission);
    if (setCookie !== undefined) this.#openedLinks.add(x);
    const setCookies = setCookie === undefined ? [] : [setCookie];
    // Absolute: a target of `//elsewhere/` must stay a path of this host.
    const location = `${this.#parts.scheme}://${authority}${appTarget}`;
    // The session will count in a frame only if the page around it is known then, too.
    const policy = isFramed(headers) ? "strict-origin" : undefined;
    return redirect(303, location, setCookies, policy);
  }

  /** The Set-Cookie value of a session that stands for the token that admitted; undefined if that was something else. */
  async #sessionOf(
    { host, grantInQuery }: PreviewExchange,
    { credential, grant }: Admission,
  ): Promise<string | undefined> {
    const { cookies, sessions, sessionTtlMs, now } = this.#parts;
    if (credential?.kind === "auth_key") {
      const sealed = await sessions.seal({
        kind: "key",
        sandboxId: host.label,
        name: host.name,
        token: credential.token,
        expiresAt: now() + sessionTtlMs,
      });
      const maxAgeSec = Math.floor(sessionTtlMs / 1000);
      return cookies.hostOnly(cookies.previewTokenSession, sealed, maxAgeSec);
    }
    if (grant === undefined || credential?.kind !== "grant") return undefined;
    // It may last: the grant is asked about each time.
    const sealed = await sessions.seal(sessionFor(grant, host));
    const maxAgeSec = Math.ceil((grant.expiresAt - now()) / 1000);
    return grantInQuery.cookie === "none"
      ? cookies.hostOnlyInFrames(cookies.grantSession, sealed, maxAgeSec)
      : cookies.hostOnly(cookies.grantSession, sealed, maxAgeSec);
  }
}

/** What the log says of whoever is before a sandbox. */
function factsOf({ id: requestId, port, clientAddress }: SandboxExchange) {
  return { requestId, port, client: clientKey(clientAddress) };
}

/**
 * @throws {GatewayError} `method_not_allowed` for TRACE: the response would echo what we add for the runner, its key
 * included (RFC 9110 section 9.3.8)
 */
function checkMethod(method: string): void {
  if (method === "TRACE") throw new GatewayError("method_not_allowed", method);
}
