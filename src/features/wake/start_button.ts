/**
 * Starts of sandboxes by their visitors: the button on the page of one that does not run, what a press of it does, and
 * visits that do without. A press is a form that is posted to the same preview host, so it passes the same gate as every
 * other request there. It has to come from that page: by its Origin, as a navigation, and with the ticket in the form,
 * which is sealed for this sandbox and this visitor. A program has no page, but a credential that no page sends for it.
 */
import type { Admission } from "../../auth/gate.ts";
import { ERRORS } from "../../error_codes.ts";
import { GatewayError } from "../../errors.ts";
import type { PreviewExchange } from "../../gateway/sandbox_exchange.ts";
import { isFramed, wantsDocument } from "../../http/fetch_metadata.ts";
import { splitQuery } from "../../http/request_url.ts";
import { TokenBuckets } from "../../lib/token_bucket.ts";
import { OWN_ANSWER_HEADERS } from "../../pages/problem.ts";
import { redirect } from "../../pages/redirect.ts";
import {
  conditionOf,
  type SandboxState,
} from "../../resolver/sandbox_condition.ts";
import type { SandboxStates } from "../../resolver/sandbox_states.ts";
import { START_PATH, startForm } from "./start_form.ts";
import type { Rights, Starter, StartRights } from "./start_rights.ts";
import type { StartTickets } from "./start_tickets.ts";
import type {
  SandboxStarts,
  StartIntent,
  StartMeans,
  StartOutcome,
} from "./starts.ts";
import { isShown, isVisit } from "./visit.ts";

/** How often presses have the API asked for a sandbox's state although it is known: beyond that, it is 2 s old at most. */
const LOOKS = { capacity: 20, refillPerSec: 0.5 } as const;

/** Seconds until a look at what has just been started is worth it. */
const RETRY_AFTER_SEC = 2;

/** The part of an exchange that a start depends on. */
type StartExchange = Pick<
  PreviewExchange,
  | "id"
  | "request"
  | "method"
  | "headers"
  | "authority"
  | "appTarget"
  | "label"
  | "clientAddress"
  | "sandboxId"
>;

/** Dependencies of {@linkcode StartButton}. */
interface StartButtonOptions {
  readonly scheme: "http" | "https";
  /** The sites whose frames may show the button. */
  readonly allowedOrigins: ReadonlySet<string>;
  /** True if a visit starts what its visitor could start by the button. */
  readonly startsByVisit: boolean;
  readonly rights: Pick<StartRights, "starterOf">;
  readonly gate: {
    isMember(admission: Admission): Promise<boolean>;
  };
  readonly states: Pick<SandboxStates, "stateOf" | "forget">;
  readonly starts: Pick<SandboxStarts, "start" | "isUnderWay">;
  readonly tickets: StartTickets;
  /** Most sandboxes whose presses are counted. */
  readonly maxEntries: number;
  readonly now: () => number;
}

/** A start that is possible. */
interface Chance {
  readonly starter: Starter;
  readonly rights: Rights;
  readonly means: StartMeans;
  readonly organizationId: string | null;
}

/** Offers starts, and performs them. Only to be created if that is switched on: it takes a POST of one path from apps. */
export class StartButton {
  readonly #options: StartButtonOptions;
  /** By sandbox: whoever presses again and again must not have the API asked as often. */
  readonly #looks: TokenBuckets;

  constructor(options: StartButtonOptions) {
    this.#options = options;
    const { maxEntries: maxKeys, now } = options;
    this.#looks = new TokenBuckets({ ...LOOKS, maxKeys, now });
  }

  /** True if the request is a press, or pretends to be one. */
  isPress({ method, appTarget }: StartExchange): boolean {
    return method === "POST" && splitQuery(appTarget).path === START_PATH;
  }

  /**
   * What to do about a failure, if it is that the sandbox does not run: that it is being started, a button if the visitor
   * may try to start it, or the way back if the request is a visit that has started it.
   *
   * @throws {GatewayError} as {@linkcode StartButton.press} does if a visit does not start it
   */
  async explain(
    failure: unknown,
    x: StartExchange,
    admission: Admission,
  ): Promise<GatewayError | Response | undefined> {
    if (!(failure instanceof GatewayError)) return undefined;
    const { start } = ERRORS[failure.code];
    if (start === undefined) return undefined;
    const { startsByVisit, starts } = this.#options;
    if (starts.isUnderWay(x.sandboxId)) {
      const { message, advice } = failure;
      const retryAfterSec = RETRY_AFTER_SEC;
      return new GatewayError(start.next, `${message}; being started`, {
        advice,
        retryAfterSec,
      });
    }
    if (!isShown(x) || !wantsDocument(x.headers)) return undefined;
    const chance = await this.#chance(x, admission, start.means);
    if (chance === undefined) return undefined;
    // What opens a link need not be a person: mail scanners do, in browsers like everybody else's.
    const isByVisit = startsByVisit && start.isQuick && isVisit(x) &&
      chance.starter.by === "login";
    return isByVisit && await this.#hasStarted(x, admission, chance)
      ? redirect(303, this.#originOf(x) + x.appTarget)
      : await this.#withButton(failure, x, chance);
  }

  /**
   * Starts the sandbox, and leads back to where the button was; a program reads what has come of it.
   *
   * @throws {GatewayError} `cross_site_request` if another page sent the form, `start_expired` if its ticket is not good
   * for this, `start_not_allowed`, `start_refused` or `start_throttled` if the sandbox is not started, and as the API's
   * client does
   */
  async press(x: StartExchange, admission: Admission): Promise<Response> {
    const { kind } = admission.credential ?? {};
    const isCall = kind === "bearer" || kind === "preview_token";
    const origin = this.#originOf(x);
    if (!isCall && !isFromPage(x, origin)) {
      throw new GatewayError("cross_site_request", "No press of the button");
    }
    const starter = await this.#options.rights.starterOf(x, admission);
    if (starter === undefined) throw notAllowed(`Admitted by ${admission.by}`);
    if (isCall) {
      const outcome = await this.#startNow(x, admission, starter, "call");
      return accepted(outcome?.kind ?? "not_needed");
    }
    const { tickets } = this.#options;
    const { target, means } = await tickets.open(x, starter.name);
    // Absolute: a target of `//elsewhere/` must stay a path of this host.
    const retryUrl = origin + target;
    try {
      await this.#startNow(x, admission, starter, "press", means);
    } catch (error) {
      throw error instanceof GatewayError
        ? error.with({ ...error.advice, retryUrl })
        : error;
    }
    return redirect(303, retryUrl);
  }

  /** The start that a visitor may try; undefined if there is none, or if that cannot be determined now. */
  async #chance(
    x: StartExchange,
    admission: Admission,
    means: StartMeans,
  ): Promise<Chance | undefined> {
    const { rights, states, gate } = this.#options;
    try {
      const starter = await rights.starterOf(x, admission);
      if (starter === undefined || starter.by === "bearer") return undefined;
      if (means === "recover" && !await gate.isMember(admission)) {
        return undefined;
      }
      const told = await states.stateOf(x.sandboxId);
      if (!told) return undefined;
      const { organizationId } = told;
      const found = await starter.rightsFor(organizationId);
      return found && { starter, rights: found, means, organizationId };
    } catch (error) {
      if (error instanceof GatewayError) return undefined;
      throw error;
    }
  }

  /** The failure with a button, unless it would be in a frame where that cannot be. */
  async #withButton(
    failure: GatewayError,
    x: StartExchange,
    { starter, means }: Chance,
  ): Promise<GatewayError> {
    const { allowedOrigins, tickets } = this.#options;
    if (isFramed(x.headers) && allowedOrigins.size === 0) return failure;
    const ticket = await tickets.seal(x, starter.name, means);
    const framedBy = [...allowedOrigins];
    const action = startForm({ ticket, framedBy, means });
    return failure.with({ ...failure.advice, action });
  }

  /** Starts the sandbox by a visit; false if it has just been started, and has stopped again. */
  async #hasStarted(
    x: StartExchange,
    admission: Admission,
    chance: Chance,
  ): Promise<boolean> {
    const { kind } = await this.#start(x, admission, chance, "visit");
    if (kind !== "too_soon") return true;
    const told = await this.#options.states.stateOf(x.sandboxId);
    return !told || meansFor(told) === undefined;
  }

  /**
   * Starts the sandbox if it still needs that; undefined if it does not.
   *
   * @throws {GatewayError} if it does not start
   */
  async #startNow(
    x: StartExchange,
    admission: Admission,
    starter: Starter,
    intent: StartIntent,
    wanted?: StartMeans,
  ): Promise<StartOutcome | undefined> {
    const { states, gate } = this.#options;
    if (this.#looks.take(x.sandboxId).ok) {
      states.forget(x.sandboxId); // it may have started meanwhile
    }
    const told = await states.stateOf(x.sandboxId);
    if (!told && intent === "call") {
      throw new GatewayError("api_unreachable", "Its state is not known");
    }
    const means = told && meansFor(told);
    // What is needed now may not be what the button was for: then its page comes again.
    if (!means || wanted !== undefined && wanted !== means) return undefined;
    if (means === "recover" && !await gate.isMember(admission)) {
      throw notAllowed("Recovery is for members");
    }
    const { organizationId } = told;
    const rights = await starter.rightsFor(organizationId);
    if (rights === undefined) throw notAllowed("No credential to start with");
    const chance = { starter, rights, means, organizationId };
    return await this.#start(x, admission, chance, intent);
  }

  /** @throws {GatewayError} if the sandbox does not start */
  async #start(
    { id, sandboxId }: StartExchange,
    admission: Admission,
    { starter, rights, means, organizationId }: Chance,
    intent: StartIntent,
  ): Promise<StartOutcome> {
    const outcome = await this.#options.starts.start({
      ...rights,
      sandboxId,
      organizationId,
      means,
      intent,
      requestId: id,
      by: starter.by,
      subject: admission.subject,
    });
    switch (outcome.kind) {
      case "not_allowed":
        throw notAllowed(`Daytona API: ${outcome.reason}`);
      case "refused":
        throw await this.#refusal(outcome.reason, sandboxId, admission);
      default:
        return outcome;
    }
  }

  /** What the API said, for members only. */
  async #refusal(
    reason: string,
    sandboxId: string,
    admission: Admission,
  ): Promise<GatewayError> {
    const { states, gate } = this.#options;
    const [told, isMember] = await Promise.all([
      states.stateOf(sandboxId),
      gate.isMember(admission),
    ]);
    const { state, desiredState = null, recoverable = false } = told ?? {};
    return new GatewayError("start_refused", `Daytona API: ${reason}`, {
      advice: state === undefined ? {} : {
        sandbox: {
          state,
          desiredState,
          recoverable,
          errorReason: isMember ? reason : null,
        },
      },
    });
  }

  #originOf({ authority }: StartExchange): string {
    return `${this.#options.scheme}://${authority.toLowerCase()}`;
  }
}

/** What would bring a sandbox to run; undefined if nothing does, or is needed. */
function meansFor(told: SandboxState): StartMeans | undefined {
  const code = conditionOf(told);
  return code && ERRORS[code].start?.means;
}

/** A script of the app can post the form as well, but not as a navigation without leaving its page. */
function isFromPage({ headers }: StartExchange, origin: string): boolean {
  const site = headers.get("sec-fetch-site");
  const mode = headers.get("sec-fetch-mode");
  return headers.get("origin") === origin &&
    (site === null || site === "same-origin") &&
    (mode === null || mode === "navigate");
}

/** What a program reads; the sandbox is up once its previews answer. */
function accepted(outcome: string): Response {
  return Response.json({ outcome }, {
    status: 202,
    headers: { ...OWN_ANSWER_HEADERS, "retry-after": String(RETRY_AFTER_SEC) },
  });
}

function notAllowed(reason: string): GatewayError {
  return new GatewayError("start_not_allowed", reason);
}
