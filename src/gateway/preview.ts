/**
 * Handles requests to preview hosts and toolboxes, step by step; the numbers are those of docs/architecture.md. Every
 * failure on the way is thrown, and becomes a response in one place (see dispatch.ts).
 */
import { TOOLBOX_PORT } from "../address/grammar.ts";
import type { HostParser } from "../address/preview_host.ts";
import type { Gate } from "../auth/gate.ts";
import type { SessionSealer } from "../auth/session.ts";
import type { Admission, GateRequest } from "../auth/verdict.ts";
import { GatewayError } from "../errors.ts";
import { isAheadOfTime } from "../http/fetch_metadata.ts";
import type { AccessEvents } from "../observability/access_events.ts";
import { hasAllowOrigin, type Preflight } from "../proxy/cors.ts";
import type { AdmittedRequest, Forwarder } from "../proxy/forward.ts";
import { discardBody } from "../stream/response_body.ts";
import type { UpstreamResponse } from "../upstream/http1/message.ts";
import { type Chains, firstAnswer } from "./chains.ts";
import {
  type PlantedCookiesParts,
  withoutPlantedCookies,
} from "./cookie_refusal.ts";
import type { ExchangeServices } from "./exchange_services.ts";
import { openTunnel, type TunnelLimits } from "./open_tunnel.ts";
import type { OpenedLinks } from "./opened_links.ts";
import { preflightResponse } from "./own_response.ts";
import { isPreview, type PreviewExchange } from "./preview_route.ts";
import {
  gateRequest,
  isAnonymous,
  isWebSocket,
  requestToSandbox,
  type SandboxExchange,
  sandboxPortOf,
} from "./sandbox_route.ts";
import { withSandboxState } from "./sandbox_state.ts";
import {
  redirectWithoutToken,
  type TokenRedirectParts,
} from "./token_redirect.ts";
import type { ToolboxExchange } from "./toolbox_route.ts";
import {
  factsOf,
  refusal,
  turnAway,
  type TurnAwayParts,
  wayToLogin,
} from "./turn_away.ts";

interface SandboxHandlerParts
  extends
    Pick<ExchangeServices, "corsMode" | "grants">,
    PlantedCookiesParts,
    TokenRedirectParts,
    TurnAwayParts {
  readonly toolboxOnly: boolean;
  readonly tunnelLimits: TunnelLimits;
  readonly gate: Gate;
  /** Told of credentials that were refused, and of grants. */
  readonly accessEvents: Pick<AccessEvents, "refused" | "usedGrant">;
  readonly sessions: Pick<SessionSealer, "open" | "seal">;
  readonly chains: Pick<Chains, "answer" | "shape">;
  readonly openedLinks: OpenedLinks;
  readonly forwarder: Forwarder;
  /** Whether a name still leads somewhere. */
  readonly parseHost: HostParser;
}

/** Handles requests for sandboxes. */
export class SandboxHandlers {
  readonly #parts: SandboxHandlerParts;

  constructor(parts: SandboxHandlerParts) {
    this.#parts = parts;
  }

  /** Answers a request to a preview host. */
  async preview(x: PreviewExchange): Promise<Response> {
    const { gate, chains: { answer }, toolboxOnly } = this.#parts;
    const { received, route } = x;
    try {
      const waiting = x.checkLimits(); // 1 dispatch
      if (waiting !== undefined) await waiting;
    } catch (error) {
      throw await withoutPlantedCookies(error, x, this.#parts);
    }
    if (toolboxOnly && route.port !== TOOLBOX_PORT) {
      throw new GatewayError("port_not_served", "Toolbox only");
    }
    checkMethod(received.method);
    if (x.preflight !== undefined) return await this.#preflight(x, x.preflight);
    if (
      route.grantInQuery.secret !== undefined && isAheadOfTime(received.headers)
    ) {
      throw new GatewayError("prefetch_refused", "Nobody has opened it yet");
    }
    const arriving = firstAnswer(answer.arrived, (one) => one.arrived(x)); // 2 features
    const early = arriving && await arriving;
    if (early !== undefined) return x.answer(early);
    x.progress.onLookups();
    const hasOpenedLink = this.#parts.openedLinks.take(x);
    const asked = gateRequest(x);
    const judged = gate.admit(asked); // 3 gate
    const verdict = judged instanceof Promise ? await judged : judged;
    if (verdict.kind !== "allow") {
      return await turnAway(x, verdict, { ...this.#parts, hasOpenedLink });
    }
    this.#grant(x, asked, verdict);
    if (route.redirectsWithoutToken && !isWebSocket(x)) {
      x.checkServed();
      return x.answer(await redirectWithoutToken(x, verdict, this.#parts));
    }
    const answering = firstAnswer(
      answer.admitted, // 2 features
      (one) => one.admitted(x, verdict),
    );
    const instead = answering && await answering;
    if (instead !== undefined) {
      x.checkServed();
      return x.answer(instead);
    }
    return await this.#carry(x, verdict); // 4 to 7
  }

  /** Answers a request for a sandbox's toolbox. */
  async toolbox(x: ToolboxExchange): Promise<Response> {
    await x.checkLimits(); // 1 dispatch
    checkMethod(x.received.method);
    if (x.preflight !== undefined) return await this.#preflight(x, x.preflight);
    x.progress.onLookups();
    const asked = gateRequest(x);
    const verdict = await this.#parts.gate.admit(asked); // 3 gate
    if (verdict.kind !== "allow") {
      const isUrl = verdict.code === "signed_url_invalid";
      const endedAt = isUrl ? x.route.urlEndedAt : undefined;
      throw await refusal(x, verdict, this.#parts, { endedAt });
    }
    this.#grant(x, asked, verdict);
    return await this.#carry(x, verdict); // 4 to 7
  }

  /** Takes an admitted request to the app, and answers with its response or an open WebSocket. */
  async #carry(x: SandboxExchange, admission: Admission): Promise<Response> {
    const opening = x.openBody(); // once: whether there is one, only its stream may tell
    if (opening !== undefined) await opening;
    try {
      if (admission.failure !== undefined) throw admission.failure;
      const request = this.#shaped(x, admission);
      if (isWebSocket(x)) return await this.#tunnel(x, request, admission);
      const response = await this.#parts.forwarder.forward(request);
      const answering = this.#relay(x, response, request, admission);
      return answering instanceof Promise ? await answering : answering;
    } catch (error) {
      const explained = await this.#explain(error, x, admission);
      if (explained instanceof Response) return x.answer(explained);
      throw explained;
    }
  }

  async #tunnel(
    x: SandboxExchange,
    request: AdmittedRequest,
    admission: Admission,
  ): Promise<Response> {
    const { forwarder, tunnelLimits } = this.#parts;
    const opened = await openTunnel(x, request, forwarder, tunnelLimits);
    return opened.kind === "refused"
      ? await this.#relay(x, opened.response, request, admission)
      : x.tunnel(opened);
  }

  /** The request as features have the app get it. */
  #shaped(x: SandboxExchange, admission: Admission): AdmittedRequest {
    const { shape: { request: shapes } } = this.#parts.chains;
    let request = requestToSandbox(x, this.#parts);
    if (shapes.length === 0 || !isPreview(x)) return request;
    for (const shape of shapes) request = shape.request(request, x, admission);
    return request;
  }

  /** Answers with what features make of the app's response. */
  #relay(
    x: SandboxExchange,
    upstream: UpstreamResponse,
    { added }: AdmittedRequest,
    admission: Admission,
  ): Response | Promise<Response> {
    const { shape: { response: shapes } } = this.#parts.chains;
    let response = upstream;
    if (shapes.length > 0 && isPreview(x)) {
      for (const shape of shapes) {
        response = shape.response(response, x, admission);
      }
    }
    return x.relay(response, added !== undefined);
  }

  /**
   * What to do about a failure: the sandbox's state may say more of it, and a feature may do something.
   * @throws {GatewayError} the failure of a guard, if the request came too short a way for it to be asked
   */
  async #explain(
    error: unknown,
    x: SandboxExchange,
    admission: Admission,
  ): Promise<unknown> {
    x.checkServed();
    const { gate, chains: { answer } } = this.#parts;
    const isMember = () => gate.isMember(admission);
    const toLogin = () => isPreview(x) ? wayToLogin(x, this.#parts) : undefined;
    const refused = {
      sandboxId: x.sandboxId,
      sandboxPort: sandboxPortOf(x.route),
      isAnonymous: isAnonymous(x),
    };
    let failure = await withSandboxState(error, refused, isMember, this.#parts);
    for (const one of answer.failed) {
      const explained = await one.failed(failure, x, admission, toLogin);
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
      const asked = gateRequest(x);
      const verdict = await gate.admit(asked);
      if (verdict.kind !== "allow" || verdict.failure) return undefined;
      this.#grant(x, asked, verdict);
      await x.openBody();
      const request = requestToSandbox(x, this.#parts);
      const response = await forwarder.forward(request);
      if (hasAllowOrigin(response.headers)) return response;
      discardBody(response.body);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
    }
    return undefined;
  }

  #grant(x: SandboxExchange, asked: GateRequest, admission: Admission): void {
    const { gate, accessEvents, parseHost } = this.#parts;
    const { sandboxId, subject, grant } = admission;
    if (grant !== undefined) {
      accessEvents.usedGrant({ ...factsOf(x), sandboxId, subject, grant });
    }
    let latest = admission;
    const { name } = x.route;
    x.grant(admission, async () => {
      // Where it leads elsewhere, what has begun may go on.
      if (name !== undefined && parseHost(name).kind !== "preview") {
        return false;
      }
      const verdict = await gate.readmit(asked, latest);
      if (verdict.kind !== "allow") return false;
      latest = verdict;
      return true;
    });
  }
}

/**
 * @throws {GatewayError} `method_not_allowed` for TRACE: the response would echo what we add for the runner, its key
 * included (RFC 9110 section 9.3.8)
 */
function checkMethod(method: string): void {
  if (method === "TRACE") throw new GatewayError("method_not_allowed", method);
}
