/**
 * Handles requests to preview hosts and toolboxes, step by step; the numbers are those of docs/architecture.md. Every
 * failure on the way is thrown, and becomes a response in one place (see dispatch.ts).
 */
import { loggedLabel, TOOLBOX_PORT } from "../address/grammar.ts";
import type { Admission, Gate, Verdict } from "../auth/gate.ts";
import type { Login } from "../auth/login_flow.ts";
import type { SessionSealer } from "../auth/session.ts";
import { ERRORS } from "../error_codes.ts";
import { type ErrorAdvice, GatewayError } from "../errors.ts";
import {
  isFramed,
  mayRedirect,
  wantsDocument,
} from "../http/fetch_metadata.ts";
import { clientKey } from "../lib/client_key.ts";
import type { AccessEvents } from "../observability/access_events.ts";
import { redirect } from "../pages/redirect.ts";
import { hasAllowOrigin, type Preflight } from "../proxy/cors.ts";
import type { Forwarder } from "../proxy/forward.ts";
import {
  discardBody,
  type UpstreamResponse,
} from "../upstream/http1/message.ts";
import {
  type PlantedCookiesParts,
  withoutPlantedCookies,
} from "./cookie_refusal.ts";
import type { ExchangeServices } from "./exchange_parts.ts";
import { type Feature, firstAnswer } from "./feature.ts";
import { loginRedirectLocation } from "./login_redirect.ts";
import { openTunnel, type TunnelLimits } from "./open_tunnel.ts";
import type {
  PreviewExchange,
  SandboxExchange,
  ToolboxExchange,
} from "./sandbox_exchange.ts";
import { type SandboxStateParts, withSandboxState } from "./sandbox_state.ts";

/** The parts of the gateway that the handlers use. */
interface SandboxHandlerParts
  extends
    Pick<ExchangeServices, "corsMode" | "scheme" | "cookies" | "now">,
    PlantedCookiesParts,
    SandboxStateParts {
  readonly toolboxOnly: boolean;
  readonly sessionTtlMs: number;
  readonly tunnelLimits: TunnelLimits;
  readonly gate: Gate;
  /** Told of credentials that were refused. */
  readonly visits: Pick<AccessEvents, "refused">;
  readonly sessions: Pick<SessionSealer, "open" | "seal">;
  /** The login to send people to. */
  readonly login: Pick<Login, "state">;
  readonly features: readonly Feature[];
  readonly forwarder: Forwarder;
}

/** Handles requests for sandboxes. */
export class SandboxHandlers {
  readonly #parts: SandboxHandlerParts;

  constructor(parts: SandboxHandlerParts) {
    this.#parts = parts;
  }

  /** Answers a request to a preview host. */
  async preview(x: PreviewExchange): Promise<Response> {
    const { gate, features } = this.#parts;
    try {
      x.checkLimits(); // 1 dispatch
    } catch (error) {
      throw await withoutPlantedCookies(error, x, this.#parts);
    }
    this.#checkPort(x.port);
    checkMethod(x.method);
    if (x.preflight !== undefined) return await this.#preflight(x, x.preflight);
    const early = await firstAnswer(features, (one) => one.beforeGate?.(x)); // 2 features
    if (early !== undefined) return x.answer(early);
    x.progress.onLookups();
    const verdict = await gate.admit(x); // 3 gate
    if (verdict.kind !== "allow") return await this.#turnAway(x, verdict);
    this.#grant(x, verdict);
    if (
      x.hadTokenInQuery && !x.isWebSocket && mayRedirect(x.method, x.headers)
    ) {
      return x.answer(await this.#redirectWithoutToken(x, verdict));
    }
    const instead = await firstAnswer( // 2 features
      features,
      (one) => one.admitted?.(x, verdict),
    );
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
    if (verdict.kind !== "allow") throw this.#refusal(x, verdict);
    this.#grant(x, verdict);
    return await this.#carry(x, verdict); // 4 to 7
  }

  /** Takes an admitted request to the app and answers with what comes back: a response, or an open WebSocket. */
  async #carry(x: SandboxExchange, admission: Admission): Promise<Response> {
    if (x.isWebSocket) x.reserveTunnel();
    const opening = x.openBody(); // once: whether there is one, only its stream may tell
    if (opening !== undefined) await opening;
    for (;;) {
      try {
        return await this.#exchange(x);
      } catch (error) {
        const explained = await this.#explain(error, x, admission);
        if (explained === "again") continue;
        if (explained instanceof Response) return x.answer(explained);
        throw explained;
      }
    }
  }

  /** Sends a request to the app once. */
  async #exchange(x: SandboxExchange): Promise<Response> {
    const { forwarder, tunnelLimits } = this.#parts;
    if (!x.isWebSocket) return x.relay(await forwarder.forward(x));
    const opened = await openTunnel(x, forwarder, tunnelLimits);
    return opened.kind === "refused"
      ? x.relay(opened.response)
      : x.tunnel(opened);
  }

  /** What to do about a failure: the sandbox's state may say more of it, and a feature may do something about it. */
  async #explain(
    error: unknown,
    x: SandboxExchange,
    admission: Admission,
  ): Promise<Response | "again" | unknown> {
    const { gate, features } = this.#parts;
    const isMember = () => gate.isMember(admission);
    let failure = await withSandboxState(error, x, isMember, this.#parts);
    for (const feature of features) {
      const explained = await feature.explain?.(failure, x, admission);
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
    const response = this.#parts.corsMode === "reflect"
      ? undefined
      : await this.#appAnswer(x);
    return response === undefined
      ? x.answerPreflight(preflight)
      : x.relay(response);
  }

  /** The app's answer to a preflight; undefined if it sets no Access-Control-Allow-Origin, or cannot be asked. */
  async #appAnswer(x: SandboxExchange): Promise<UpstreamResponse | undefined> {
    const { gate, forwarder } = this.#parts;
    try {
      x.progress.onLookups();
      const verdict = await gate.admit(x);
      if (verdict.kind !== "allow") return undefined;
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
    const { gate } = this.#parts;
    let latest = admission;
    x.grant(admission, async () => {
      const verdict = await gate.readmit(x, latest);
      if (verdict.kind !== "allow") return false;
      latest = verdict;
      return true;
    });
  }

  /**
   * Sends a visitor to log in if that may help. Who came by a link with a preview token first reads why it opens nothing
   * any more: they may have no account there.
   * @throws {GatewayError} the verdict's code otherwise, or `frame_refused` or `credential_invalid`
   */
  async #turnAway(
    x: PreviewExchange,
    verdict: Exclude<Verdict, Admission>,
  ): Promise<Response> {
    const { scheme, login, features } = this.#parts;
    const mayLogIn = verdict.kind === "login" && login.state === "on";
    const loginUrl = mayLogIn ? loginRedirectLocation(x, scheme) : undefined;
    if (
      verdict.kind === "login" && wantsDocument(x.headers) &&
      !isFramed(x.headers) && await this.#hasFormerToken(x)
    ) {
      const code = "credential_invalid";
      throw this.#refusal(x, { code }, { retryUrl: loginUrl });
    }
    if (loginUrl === undefined) {
      if (isFramed(x.headers) && verdict.code === "login_required") {
        throw new GatewayError("frame_refused", "Refused at the gate");
      }
      throw this.#refusal(x, verdict);
    }
    const leads = features.find(({ departure }) => departure !== undefined);
    const { location, setCookie } = leads?.departure?.(x, loginUrl) ?? {
      location: loginUrl,
    };
    return x.answer(redirect(302, location, setCookie ? [setCookie] : []));
  }

  /** The error for a verdict that does not admit. A credential that was refused is logged; none at all is nobody's. */
  #refusal(
    { id: requestId, label, port, clientAddress }: SandboxExchange,
    { code }: Pick<Exclude<Verdict, Admission>, "code">,
    advice: ErrorAdvice = {},
  ): GatewayError {
    if (ERRORS[code].credential !== "missing") {
      this.#parts.visits.refused({
        requestId,
        sandboxId: loggedLabel(label),
        port,
        code,
        client: clientKey(clientAddress),
      });
    }
    return new GatewayError(code, "Refused at the gate", { advice });
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
    { host, authority, appTarget, headers }: PreviewExchange,
    { credential }: Admission,
  ): Promise<Response> {
    const setCookies = credential?.kind === "auth_key"
      ? [await this.#tokenSession(host.label, credential.token)]
      : [];
    // Absolute: a target of `//elsewhere/` must stay a path of this host.
    const scheme = this.#parts.scheme;
    const location = `${scheme}://${authority}${appTarget}`;
    // The session will count in a frame only if the page around it is known then, too.
    return redirect(
      303,
      location,
      setCookies,
      isFramed(headers) ? "strict-origin" : undefined,
    );
  }

  /** The Set-Cookie value of a session that stands for a preview token. */
  async #tokenSession(sandboxId: string, token: string): Promise<string> {
    const { cookies, sessions, sessionTtlMs, now } = this.#parts;
    const sealed = await sessions.seal({
      kind: "key",
      sandboxId,
      token,
      expiresAt: now() + sessionTtlMs,
    });
    const maxAgeSec = Math.floor(sessionTtlMs / 1000);
    return cookies.hostOnly(cookies.previewTokenSession, sealed, maxAgeSec);
  }

  /** @throws {GatewayError} `port_not_served` */
  #checkPort(port: number): void {
    if (this.#parts.toolboxOnly && port !== TOOLBOX_PORT) {
      throw new GatewayError("port_not_served", "Toolbox only");
    }
  }
}

/**
 * Checks the method.
 * @throws {GatewayError} `method_not_allowed` for TRACE: the response would echo what we add for the runner, its key
 * included (RFC 9110 section 9.3.8)
 */
function checkMethod(method: string): void {
  if (method === "TRACE") throw new GatewayError("method_not_allowed", method);
}
