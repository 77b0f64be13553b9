/**
 * Starts of sandboxes by their visitors: by the button on the page of one that does not run, by a program's call, and by
 * visits. The first two are a POST to the preview host, and pass its gate. The button's has to come from that page: by its
 * Origin, as a navigation, and with the form's token. A program has no page, but a credential that no page sends for it.
 */
import type { Session } from "../../auth/session.ts";
import type { Admission } from "../../auth/verdict.ts";
import { sectionOf } from "../../config/section.ts";
import { ownOrigin } from "../../control/route.ts";
import { ERRORS } from "../../error_codes.ts";
import { GatewayError } from "../../errors.ts";
import type { WayToLogin } from "../../gateway/feature.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import type { PreviewExchange } from "../../gateway/preview_route.ts";
import {
  gateRequest,
  type SandboxExchange,
} from "../../gateway/sandbox_route.ts";
import { isFramed, wantsDocument } from "../../http/fetch_metadata.ts";
import { splitQuery } from "../../http/request_url.ts";
import { isShown, isVisit } from "../../http/visit.ts";
import { OWN_ANSWER_HEADERS } from "../../pages/problem.ts";
import { redirect } from "../../pages/redirect.ts";
import {
  type Attempt,
  notAllowed,
  type PossibleStart,
  StartAttempts,
} from "./start_attempts.ts";
import { loginLink, START_PATH, startForm, StartTokens } from "./start_form.ts";
import { starterOf, type StartRequest } from "./start_rights.ts";
import type { SandboxStarts, StartOperation } from "./starts.ts";
import { wakeSettings } from "./wake_settings.ts";

/** Seconds until a look at what has just been started is worth it. */
const WAIT_SEC = 2;

function startRequest(
  { received, route: { label }, sandboxId }: SandboxExchange,
): StartRequest {
  const { id, client: { clientAddress } } = received;
  return { id, label, sandboxId, clientAddress };
}

/** Offers starts, and performs them; it takes a POST of one path from apps. */
export class StartButton {
  readonly #parts: FeatureParts;
  readonly #attempts: StartAttempts;
  readonly #tokens: StartTokens;
  readonly #startsByVisit: boolean;

  constructor(parts: FeatureParts, starts: SandboxStarts) {
    const { config, now } = parts;
    this.#parts = parts;
    this.#attempts = new StartAttempts(parts, starts);
    this.#tokens = new StartTokens(parts.sealerFor("start"), now);
    this.#startsByVisit = sectionOf(config, wakeSettings).mode === "visit";
  }

  /** Answers a request for a start; leaves any other. */
  admitted(
    x: PreviewExchange,
    admission: Admission,
  ): Promise<Response> | undefined {
    const { path } = splitQuery(x.route.appTarget);
    return x.received.method === "POST" && path === START_PATH
      ? this.#handle(x, admission)
      : undefined;
  }

  /**
   * What to do about a failure, if it is that the sandbox does not run: that it is being started, a button if the visitor
   * may try to start it, the way to log in if that is missing, or the way back if the request is a visit that has started
   * it.
   * @throws {GatewayError} as a request for a start fails, if a visit does not start it
   */
  async explain(
    failure: unknown,
    x: SandboxExchange,
    admission: Admission,
    toLogin: () => WayToLogin | undefined,
  ): Promise<GatewayError | Response | undefined> {
    const isToolbox = x.route.kind === "toolbox";
    if (!(failure instanceof GatewayError) || isToolbox) return undefined;
    const { start } = ERRORS[failure.code];
    if (start === undefined) return undefined;
    if (this.#attempts.isUnderWay(x.sandboxId)) {
      const { message, advice } = failure;
      const details = { advice, retryAfterSec: WAIT_SEC };
      return new GatewayError(start.next, `${message}; being started`, details);
    }
    const { received } = x;
    if (!isShown(received) || !wantsDocument(received.headers)) {
      return undefined;
    }
    const visitor = await this.#visitorOf(x, admission);
    const possible = await this.#offer(x, visitor, start.means);
    if (possible === undefined) {
      const isStranger = visitor.by === "public" && start.means === "start";
      const way = isStranger ? toLogin() : undefined;
      const { advice } = failure;
      return way && failure.with({
        ...advice,
        headers: way.headers,
        action: loginLink(way.location),
      });
    }
    // What opens a link need not be a person: mail scanners do, in browsers like everybody else's.
    const isByVisit = this.#startsByVisit && start.isQuick &&
      isVisit(received) &&
      possible.starter.by === "login";
    return isByVisit && await this.#attempts.hasStarted(possible)
      ? redirect(
        303,
        ownOrigin(received, this.#parts.scheme) + x.route.appTarget,
      )
      : await this.#withButton(failure, x, possible);
  }

  /** Starts the sandbox for a program, which is told what has come of it; fails as {@linkcode StartButton.admitted}. */
  async call(x: StartRequest, admission: Admission): Promise<Response> {
    const starter = await starterOf(x, admission, this.#parts);
    if (starter === undefined) throw notAllowed(`Admitted by ${admission.by}`);
    const attempt = { x, admission, starter };
    const outcome = await this.#attempts.startIfNeeded(attempt, "call");
    const headers = { ...OWN_ANSWER_HEADERS, "retry-after": `${WAIT_SEC}` };
    // The sandbox is up once its previews answer.
    return Response.json({ outcome }, { status: 202, headers });
  }

  /**
   * Starts the sandbox, and leads back to where the button was.
   * @throws {GatewayError} the failure of a guard, `cross_site_request` if another page sent the form, `start_expired` if
   * its token is not good for this, `start_not_allowed`, `start_refused` or `start_throttled` if the sandbox is not
   * started, and as the API's client does
   */
  async #handle(x: PreviewExchange, admission: Admission): Promise<Response> {
    x.checkServed();
    const { kind } = admission.credential ?? {};
    if (kind === "bearer" || kind === "preview_token") {
      return await this.call(startRequest(x), admission);
    }
    const origin = ownOrigin(x.received, this.#parts.scheme);
    if (!isFromPage(x, origin)) {
      throw new GatewayError("cross_site_request", "No press of the button");
    }
    const visitor = await this.#visitorOf(x, admission);
    const request = startRequest(x);
    const starter = await starterOf(request, visitor, this.#parts);
    if (starter === undefined) throw notAllowed(`Admitted by ${visitor.by}`);
    const { target, operation } = await this.#tokens.open(x, starter.name);
    // Absolute: a target of `//elsewhere/` must stay a path of this host.
    const retryUrl = origin + target;
    const start = (attempt: Attempt) =>
      this.#attempts.startIfNeeded(attempt, "press", operation);
    try {
      const attempt = { x: request, admission: visitor, starter };
      await start(attempt).catch(async (error) => {
        // What everybody may do, whoever has logged in may, too.
        const isOther = isNotAllowed(error) && visitor !== admission;
        const everybody = isOther
          ? await starterOf(request, admission, this.#parts)
          : undefined;
        if (everybody === undefined) throw error;
        await start({ x: request, admission, starter: everybody });
      });
    } catch (error) {
      throw error instanceof GatewayError
        ? error.with({ ...error.advice, retryUrl })
        : error;
    }
    return redirect(303, retryUrl);
  }

  /** The admission of who has logged in, where nobody needs to, unless it is in a frame: what opens that says nothing. */
  async #visitorOf(
    x: SandboxExchange,
    admission: Admission,
  ): Promise<Admission> {
    if (admission.by !== "public" || isFramed(x.received.headers)) {
      return admission;
    }
    const asked = gateRequest(x);
    return await this.#parts.gate.bySession(asked, isLogin) ?? admission;
  }

  /** The start that a page may offer its visitor; undefined if there is none, or if that cannot be determined now. */
  async #offer(
    x: SandboxExchange,
    admission: Admission,
    operation: StartOperation,
  ): Promise<PossibleStart | undefined> {
    try {
      const request = startRequest(x);
      const starter = await starterOf(request, admission, this.#parts);
      if (starter === undefined || starter.by === "bearer") return undefined;
      const told = await this.#parts.states.stateOf(x.sandboxId);
      if (!told) return undefined;
      const attempt = { x: request, admission, starter };
      return await this.#attempts.possible(attempt, operation, told);
    } catch (error) {
      if (error instanceof GatewayError) return undefined;
      throw error;
    }
  }

  /** The failure with a button, unless it would be in a frame where that cannot be. */
  async #withButton(
    failure: GatewayError,
    x: SandboxExchange,
    { starter, start: { means: operation } }: PossibleStart,
  ): Promise<GatewayError> {
    const framedBy = this.#parts.config.public.allowedOrigins;
    if (isFramed(x.received.headers) && framedBy.length === 0) return failure;
    const token = await this.#tokens.seal(x, starter.name, operation);
    const action = startForm({ token, framedBy, operation });
    return failure.with({ ...failure.advice, action });
  }
}

function isLogin({ kind }: Session): boolean {
  return kind !== "key" && kind !== "grant";
}

/** A script of the app can post the form as well, but not as a navigation without leaving its page. */
function isFromPage(
  { received: { headers } }: SandboxExchange,
  origin: string,
): boolean {
  const site = headers.get("sec-fetch-site");
  const mode = headers.get("sec-fetch-mode");
  return headers.get("origin") === origin &&
    (site === null || site === "same-origin") &&
    (mode === null || mode === "navigate");
}

function isNotAllowed(error: unknown): boolean {
  return error instanceof GatewayError && error.code === "start_not_allowed";
}
