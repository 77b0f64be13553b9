/** What becomes of requests that the gate does not admit: a redirect to the login, or a failure that says why. */
import { loggedLabel } from "../address/grammar.ts";
import type { Grant } from "../auth/grants.ts";
import type { Login } from "../auth/login_flow.ts";
import type { SessionSealer } from "../auth/session.ts";
import type { Admission, Verdict } from "../auth/verdict.ts";
import { ERRORS } from "../error_codes.ts";
import { type ErrorAdvice, type ErrorCode, GatewayError } from "../errors.ts";
import { isFramed, isWindow, wantsDocument } from "../http/fetch_metadata.ts";
import { clientKey } from "../lib/client_key.ts";
import type {
  AccessEvents,
  RefusedAccess,
} from "../observability/access_events.ts";
import { redirect } from "../pages/redirect.ts";
import type { ExchangeServices } from "./exchange_services.ts";
import type { ControlPart, WayToLogin } from "./feature.ts";
import { loginRedirectLocation } from "./login_redirect.ts";
import { missingSession } from "./missing_session.ts";
import type { PreviewExchange } from "./preview_route.ts";
import type { SandboxExchange } from "./sandbox_route.ts";
import { type SandboxStateParts, withSandboxState } from "./sandbox_state.ts";

export interface TurnAwayParts
  extends
    Pick<ExchangeServices, "scheme" | "cookies" | "allowedOrigins">,
    SandboxStateParts {
  /** Told of credentials that were refused. */
  readonly accessEvents: Pick<AccessEvents, "refused">;
  readonly sessions: Pick<SessionSealer, "open">;
  /** The login to send people to. */
  readonly login: Pick<Login, "state">;
  /** What may have a login begin elsewhere. */
  readonly logins: Pick<ControlPart, "departure">;
}

/**
 * Sends a visitor to log in if that may help. Who came by a link with a preview token first reads why it opens nothing
 * any more: they may have no account there. In a frame nobody logs in, and who has just lost a session reads so first.
 * @throws {GatewayError} the verdict's code otherwise, `credential_invalid`, or as {@linkcode missingSession} says
 */
export async function turnAway(
  x: PreviewExchange,
  verdict: Exclude<Verdict, Admission>,
  parts: TurnAwayParts & {
    /** True if the client was given a session a moment ago. */
    readonly hasOpenedLink: boolean;
  },
): Promise<Response> {
  const hasLogin = parts.login.state === "on";
  const { headers } = x.received;
  // Only what says that it is a window is surely no frame, where no login begins.
  const ancestors = verdict.kind === "deny" && !isWindow(headers)
    ? verdict.ancestors
    : undefined;
  const mayLogIn = verdict.kind === "login" ||
    verdict.code === "grant_invalid" && ancestors === undefined;
  const way = mayLogIn ? wayToLogin(x, parts) : undefined;
  const advice: ErrorAdvice = way
    ? { retryUrl: way.location, headers: way.headers }
    : {};
  if (verdict.kind === "deny") {
    throw await refusal(x, verdict, parts, { ...advice, ancestors });
  }
  if (
    wantsDocument(headers) && !isFramed(headers) &&
    await hasFormerToken(x, parts)
  ) {
    const refused = { code: "credential_invalid" } as const;
    throw await refusal(x, refused, parts, advice);
  }
  if (verdict.code === "login_required") {
    const loginUrl = hasLogin
      ? loginRedirectLocation(x, parts.scheme)
      : undefined;
    const failure = missingSession(x, { ...parts, hasLogin, loginUrl });
    if (failure !== undefined) throw failure;
  }
  if (!way) throw await refusal(x, verdict, parts);
  const lines = way.headers.map(([, value]) => value);
  return x.answer(redirect(302, way.location, lines));
}

/**
 * How a visitor gets to the login, from a redirect or by a page's link, and what the browser has to remember; undefined
 * if no login begins here.
 */
export function wayToLogin(
  x: PreviewExchange,
  { login, scheme, logins }: Pick<TurnAwayParts, "login" | "scheme" | "logins">,
): WayToLogin | undefined {
  if (login.state !== "on") return undefined;
  const url = loginRedirectLocation(x, scheme);
  if (url === undefined) return undefined;
  const found = logins.departure?.(x, url);
  if (found === undefined) return { location: url, headers: [] };
  return {
    location: found.location,
    headers: [["set-cookie", found.setCookie]],
  };
}

/** The error for a verdict that does not admit. A credential that was refused is logged; none at all is nobody's. */
export async function refusal(
  x: SandboxExchange,
  { code, grant }: {
    readonly code: ErrorCode;
    readonly grant?: Grant | undefined;
  },
  parts: Pick<TurnAwayParts, "accessEvents"> & SandboxStateParts,
  advice: ErrorAdvice = {},
): Promise<unknown> {
  const { label, port } = x.route;
  if (ERRORS[code].credential !== "missing") {
    const sandboxId = loggedLabel(label);
    parts.accessEvents.refused({ ...factsOf(x), sandboxId, code, grant });
  }
  const error = new GatewayError(code, "Refused at the gate", { advice });
  if (code !== "sandbox_deleted") return error;
  // Only members are told that: Daytona may have ended it by itself.
  const refused = { sandboxId: label, sandboxPort: port, isAnonymous: false };
  const isMember = () => Promise.resolve(true);
  return await withSandboxState(error, refused, isMember, parts);
}

/** True if a refused request has the token of a link, or the session that it has become. */
async function hasFormerToken(
  { route }: PreviewExchange,
  { sessions }: Pick<TurnAwayParts, "sessions">,
): Promise<boolean> {
  for (const credential of route.credentials()) {
    if (credential.kind === "auth_key") return true;
    if (credential.kind !== "session") continue;
    const session = await sessions.open(credential.sealed);
    if (session?.kind === "key" && session.sandboxId === route.label) {
      return true;
    }
  }
  return false;
}

/** What the log says of whoever is before a sandbox. */
export function factsOf(
  { received: { id: requestId, client }, route: { port } }: SandboxExchange,
): Pick<RefusedAccess, "requestId" | "client"> & { readonly port: number } {
  return { requestId, port, client: clientKey(client.clientAddress) };
}
