/**
 * The Start button on the page of a sandbox that does not run, and what a press of it does. Only who was admitted by a
 * login gets the button: the press is a form that is posted to the same preview host, so it passes the same gate as every
 * other request there. It has to come from that page: by its Origin, as a navigation, and with the ticket in the form,
 * which is sealed for this sandbox and this login.
 */
import { splitQuery } from "../address/request_url.ts";
import type { Admission } from "../auth/gate.ts";
import type { LoginSessions } from "../auth/login_sessions.ts";
import type {
  HostSession,
  LoginSession,
  SessionSealer,
} from "../auth/session.ts";
import type { StartAnswer, User } from "../daytona/api.ts";
import { type ErrorCode, GatewayError } from "../errors.ts";
import { isFramed, wantsDocument } from "../lib/fetch_metadata.ts";
import type { Sealer } from "../lib/seal.ts";
import { redirect } from "../pages/redirect.ts";
import { START_PATH, TICKET_FIELD } from "../pages/start_form.ts";
import { ownFormField } from "../proxy/own_form.ts";
import { conditionOf } from "../resolver/sandbox_condition.ts";
import type { SandboxStarts } from "../resolver/sandbox_starts.ts";
import type { SandboxStates } from "../resolver/sandbox_states.ts";
import type { PreviewExchange } from "./sandbox_exchange.ts";

/** The time for which a page's button works, ms. */
const TICKET_TTL_MS = 10 * 60 * 1000;

/** Longest target that a ticket leads back to, characters; others lead to `/`. */
const MAX_TARGET_LENGTH = 2000;

/** What a start can be pressed for. */
const STARTABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "sandbox_stopped",
  "sandbox_paused",
  "sandbox_archived",
]);

/** The part of an exchange that a start depends on. */
export type StartExchange = Pick<
  PreviewExchange,
  | "id"
  | "request"
  | "method"
  | "headers"
  | "authority"
  | "appTarget"
  | "clientAddress"
  | "sandboxId"
>;

/** Dependencies of {@linkcode StartButton}. */
export interface StartButtonOptions {
  readonly scheme: "http" | "https";
  /** The sites whose frames may show the button. */
  readonly allowedOrigins: ReadonlySet<string>;
  /** True if the gateway's own key starts, rather than the user's token. */
  readonly usesOwnKey: boolean;
  readonly sessions: Pick<SessionSealer, "open">;
  readonly logins: Pick<LoginSessions, "accessTokenOf">;
  readonly gate: {
    isMember(admission: Admission): Promise<boolean>;
  };
  readonly states: Pick<SandboxStates, "stateOf" | "forget">;
  readonly starts: Pick<SandboxStarts, "start">;
  /** A sealer for this purpose only. */
  readonly sealer: Sealer;
  readonly now: () => number;
}

/** Offers starts, and performs them. Only to be created if that is switched on: it takes a POST of one path from apps. */
export class StartButton {
  readonly #options: StartButtonOptions;

  constructor(options: StartButtonOptions) {
    this.#options = options;
  }

  /** True if the request is a press, or pretends to be one. */
  isPress({ method, appTarget }: StartExchange): boolean {
    return method === "POST" && splitQuery(appTarget).path === START_PATH;
  }

  /** The same failure; with a button, if it is of a sandbox that can be started, and its visitor may try to. */
  async offered(
    failure: unknown,
    x: StartExchange,
    admission: Admission,
  ): Promise<unknown> {
    if (!(failure instanceof GatewayError) || !STARTABLE.has(failure.code)) {
      return failure;
    }
    const { allowedOrigins, sealer, now } = this.#options;
    if (x.method !== "GET" || !wantsDocument(x.headers)) return failure;
    if (x.headers.has("sec-purpose")) return failure;
    if (isFramed(x.headers) && allowedOrigins.size === 0) return failure;
    const login = await this.#loginOf(admission);
    if (login === undefined) return failure;
    const target = x.appTarget.length > MAX_TARGET_LENGTH ? "/" : x.appTarget;
    const { sandboxId } = x;
    const ticket = await sealer.seal(
      { sandboxId, login: login.id, target },
      now() + TICKET_TTL_MS,
    );
    const framedBy = [...allowedOrigins];
    return failure.with({ ...failure.advice, start: { ticket, framedBy } });
  }

  /**
   * Starts the sandbox, and leads back to where the button was.
   *
   * @throws {GatewayError} `cross_site_request` if another page sent the form, `start_expired` if its ticket is not good
   * for this, `start_not_allowed`, `start_refused` or `start_throttled` if the sandbox is not started, and as the API's
   * client does
   */
  async press(x: StartExchange, admission: Admission): Promise<Response> {
    const { scheme, sealer } = this.#options;
    const origin = `${scheme}://${x.authority.toLowerCase()}`;
    if (!isFromPage(x, origin)) {
      throw new GatewayError("cross_site_request", "No press of the button");
    }
    const login = await this.#loginOf(admission);
    if (login === undefined) throw notAllowed("Not admitted by a login");
    const ticket = await sealer.open(await ownFormField(x, TICKET_FIELD));
    if (
      ticket === undefined || ticket["sandboxId"] !== x.sandboxId ||
      ticket["login"] !== login.id
    ) throw new GatewayError("start_expired", "No ticket for this");
    // Absolute: a target of `//elsewhere/` must stay a path of this host.
    const retryUrl = `${origin}${ticket["target"]}`;
    try {
      await this.#start(x, admission, login);
    } catch (error) {
      throw error instanceof GatewayError
        ? error.with({ ...error.advice, retryUrl })
        : error;
    }
    return redirect(303, retryUrl);
  }

  /** @throws {GatewayError} if the sandbox does not start */
  async #start(
    x: StartExchange,
    admission: Admission,
    login: LoginSession | HostSession,
  ): Promise<void> {
    const { states, starts } = this.#options;
    states.forget(x.sandboxId); // it may have started meanwhile
    const told = await states.stateOf(x.sandboxId);
    const condition = told && conditionOf(told);
    if (!condition || !STARTABLE.has(condition.code)) return;
    const outcome = await starts.start({
      sandboxId: x.sandboxId,
      user: await this.#userOf(login, x, told.organizationId),
      payer: login.id,
      requestId: x.id,
    });
    switch (outcome.kind) {
      case "not_allowed":
        throw notAllowed(`Daytona API: ${outcome.reason}`);
      case "refused":
        throw await this.#refusal(outcome, x.sandboxId, admission);
    }
  }

  /** What the API said, for members only. */
  async #refusal(
    { reason }: Extract<StartAnswer, { kind: "refused" }>,
    sandboxId: string,
    admission: Admission,
  ): Promise<GatewayError> {
    const { states, gate } = this.#options;
    const [told, isMember] = await Promise.all([
      states.stateOf(sandboxId),
      gate.isMember(admission),
    ]);
    const { state, desiredState = null, recoverable = false } = told ?? {};
    return new GatewayError("start_refused", "Daytona API: start refused", {
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

  /** The login that admitted; undefined if anything else did. */
  async #loginOf(
    { credential }: Admission,
  ): Promise<LoginSession | HostSession | undefined> {
    if (credential?.kind !== "session") return undefined;
    const session = await this.#options.sessions.open(credential.sealed);
    return session?.kind === "login" || session?.kind === "host"
      ? session
      : undefined;
  }

  /**
   * Whose credential starts: undefined for the gateway's own key.
   *
   * @throws {GatewayError} `start_not_allowed` if the user's token is not known
   */
  async #userOf(
    login: LoginSession | HostSession,
    { clientAddress }: StartExchange,
    organizationId: string | null,
  ): Promise<User | undefined> {
    const { usesOwnKey, logins } = this.#options;
    if (usesOwnKey) return undefined;
    const bearer = await logins.accessTokenOf(login);
    if (bearer === undefined) throw notAllowed("No token of the user");
    return {
      bearer,
      clientAddress,
      organizationId: organizationId ?? undefined,
    };
  }
}

/** A script of the app can post the form as well, but not as a navigation without leaving its page. */
function isFromPage({ headers }: StartExchange, origin: string): boolean {
  const site = headers.get("sec-fetch-site");
  const mode = headers.get("sec-fetch-mode");
  return headers.get("origin") === origin &&
    (site === null || site === "same-origin") &&
    (mode === null || mode === "navigate");
}

function notAllowed(reason: string): GatewayError {
  return new GatewayError("start_not_allowed", reason);
}
