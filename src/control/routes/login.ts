/** Login at the identity provider: `/login` and `/callback`, on base hosts. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { loggedLabel } from "../../address/grammar.ts";
import type { HostParser } from "../../address/preview_host.ts";
import { checkReturnUrl, type ReturnUrl } from "../../address/return_url.ts";
import { type Login, mayComeAgain } from "../../auth/login_flow.ts";
import {
  TRANSACTION_TTL_MS,
  transactionId,
} from "../../auth/oidc/transaction.ts";
import type { OwnCookies } from "../../auth/own_cookies.ts";
import { GatewayError } from "../../errors.ts";
import { cookiesByName, cookieValues } from "../../http/cookies.ts";
import {
  isAheadOfTime,
  isFramed,
  isSentByPage,
} from "../../http/fetch_metadata.ts";
import type { AccessEvents } from "../../observability/access_events.ts";
import { LOGIN_PAGE_POLICY, loginPage } from "../../pages/login_page.ts";
import { OWN_ANSWER_HEADERS } from "../../pages/problem.ts";
import { redirect } from "../../pages/redirect.ts";
import type { RemoteSettings } from "../../resolver/remote_settings.ts";
import {
  type BrowserSessions,
  CHALLENGE,
  type LoginAttempt,
} from "../browser_sessions.ts";
import {
  type ControlContext,
  type ControlEnv,
  ownOrigin,
  PAGE,
  refusal,
  type RouteContext,
} from "../route.ts";

/** Dependencies of the login routes. */
export interface LoginRoutesOptions {
  readonly scheme: "http" | "https";
  readonly remoteSettings: Pick<RemoteSettings, "baseDomains">;
  readonly parseHost: HostParser;
  readonly cookies: OwnCookies;
  readonly login: Pick<Login, "state" | "hasSso" | "start" | "finish">;
  readonly browserSessions: BrowserSessions;
  /** For pages that ask who somebody is; undefined if there are none. */
  readonly anyLogins: BrowserSessions | undefined;
  readonly accessEvents: Pick<AccessEvents, "loggedIn" | "loginFailed">;
}

/** Most login attempts that one browser may have open: the cookies of more would crowd out others. */
const MAX_TRANSACTIONS = 8;

const PAGE_HEADERS = {
  ...OWN_ANSWER_HEADERS,
  "content-security-policy": LOGIN_PAGE_POLICY,
};

const loginRoute = createRoute({
  method: "get",
  path: "/login",
  summary: "Log in",
  description:
    "Redirects the browser to the identity provider. A preview that requires a login redirects it here. Where there " +
    "are two providers, it asks which one.",
  request: {
    query: z.object({
      return_to: z.string({
        error: ({ input }) => input === undefined ? "missing" : undefined,
      }).describe(
        "The URL of the preview to return to, below this base domain or by a name of its own.",
      ),
      challenge: z.string().regex(CHALLENGE).optional().describe(
        "At names, and everywhere with `SESSION_SCOPE=host`: what the preview's host knows the browser by.",
      ),
      provider: z.enum(["standard", "sso"]).optional().describe(
        "Where to log in: at the standard provider, or at the one for single sign-on if there is one.",
      ),
    }),
  },
  responses: {
    200: { description: "The choice between two providers.", content: PAGE },
    302: { description: "To the identity provider." },
    400: refusal("`return_to` is not a preview of this gateway."),
    503: refusal("The identity provider does not respond."),
  },
});

const callbackRoute = createRoute({
  method: "get",
  path: "/callback",
  summary: "Return from the identity provider",
  description:
    "The redirect URI to register at the identity provider. Completes the login and returns to the preview with a " +
    "session.",
  request: {
    query: z.looseObject({
      state: z.string().optional(),
      code: z.string().optional(),
      error: z.string().optional(),
      iss: z.string().optional(),
    }),
  },
  responses: {
    303: { description: "Back to the preview, with a session cookie." },
    400: refusal("There is no such login, or it cannot be accepted."),
    403: refusal("The user declined at the identity provider."),
    404: refusal("The user has no access to the sandbox."),
    429: refusal("Too many logins failed. Retry-After says when to retry."),
    503: refusal("The identity provider does not respond."),
  },
});

/** The routes that {@linkcode addLoginRoutes} adds. */
export const LOGIN_ROUTES = [loginRoute, callbackRoute];

/** Adds `/login` and `/callback`. */
export function addLoginRoutes(
  app: OpenAPIHono<ControlEnv>,
  options: LoginRoutesOptions,
): void {
  app.openapi(loginRoute, (c) => startLogin(c, options));
  app.openapi(callbackRoute, (c) => finishLogin(c, options));
}

async function startLogin(
  c: RouteContext<typeof loginRoute>,
  options: LoginRoutesOptions,
): Promise<Response> {
  const { scheme, cookies, login, parseHost } = options;
  const base = checkLogin(c.env, options);
  // Another sandbox's page could otherwise crowd out the attempts that its visitor has open, or log in a frame.
  const { headers } = c.req.raw;
  const mode = headers.get("sec-fetch-mode") ?? "navigate";
  if (mode !== "navigate" || isFramed(headers) || isAheadOfTime(headers)) {
    throw new GatewayError("cross_site_request", "Login by no visitor");
  }
  const { return_to, challenge, provider } = c.req.valid("query");
  const own = { scheme, parseHost, authority: c.env.authority };
  const returnTo = checkReturnUrl(return_to, own);
  if (returnTo === undefined) {
    throw new GatewayError("bad_return_url", "Not a preview of ours");
  }
  const browserSessions = sessionsFor(returnTo, options);
  const attempt = { ...visitorOf(c), base, returnTo, challenge };
  const resumed = await counted(options, browserSessions.resume(attempt));
  if (resumed !== undefined) {
    return redirect(302, resumed.location, resumed.setCookies);
  }
  if (login.hasSso && provider === undefined) {
    const { searchParams } = new URL(c.req.url);
    return c.html(loginPage(searchParams), 200, PAGE_HEADERS);
  }
  const started = login.start({
    returnTo: returnTo.url,
    challenge,
    redirectUri: `${ownOrigin(c.env, scheme)}/callback`,
    reauthenticate: cookies.asksForAccount(attempt.cookies),
    sso: provider === "sso",
  });
  const { location, state, sealed } = await counted(options, started);
  const transaction = cookies.transaction(transactionId(state));
  return redirect(302, location, [
    ...surplusAttempts(attempt.cookies, cookies).map((name) =>
      cookies.hostOnly(name, "", 0)
    ),
    cookies.hostOnly(transaction, sealed, TRANSACTION_TTL_MS / 1000),
  ]);
}

async function finishLogin(
  c: RouteContext<typeof callbackRoute>,
  options: LoginRoutesOptions,
): Promise<Response> {
  const { scheme, cookies } = options;
  const { requestId } = c.env;
  const base = checkLogin(c.env, options);
  const parameters = new URL(c.req.url).searchParams;
  const id = transactionId(parameters.get("state") ?? "");
  const transaction = cookies.transaction(id);
  const visitor = visitorOf(c);
  const sent = visitor.cookies;
  const finished = options.login.finish({
    parameters,
    transactions: cookieValues(sent, transaction),
    redirectUri: `${ownOrigin(c.env, scheme)}/callback`,
    caller: visitor,
    requestId,
  });
  const ended = [cookies.hostOnly(transaction, "", 0)];
  const { login, subject: sub, ...way } = await counted(options, finished)
    .catch((error: unknown) => {
      if (!(error instanceof GatewayError) || mayComeAgain(error)) throw error;
      if (error.code === "no_access") {
        ended.push(...cookies.marksOfRefusal(sent));
      }
      for (const line of ended) c.header("set-cookie", line, { append: true });
      throw error;
    });
  const attempt = { ...visitor, base, ...way };
  const { location, setCookies } = await counted(
    options,
    sessionsFor(way.returnTo, options).complete(attempt, login),
  );
  const { label, port } = way.returnTo.host;
  const sandboxId = loggedLabel(label);
  options.accessEvents.loggedIn({ requestId, sandboxId, port, sub });
  if (cookies.asksForAccount(sent)) {
    ended.push(cookies.hostOnly(cookies.otherAccount, "", 0));
  }
  return redirect(303, location, [...ended, ...setCookies]);
}

/** What keeps the session of a login that leads there; throws `bad_return_url` if nothing does. */
function sessionsFor(
  { isForAnybody }: ReturnUrl,
  { browserSessions, anyLogins }: LoginRoutesOptions,
): BrowserSessions {
  const sessions = isForAnybody ? anyLogins : browserSessions;
  if (sessions !== undefined) return sessions;
  throw new GatewayError("bad_return_url", "No page asks who somebody is");
}

/** The result of a step of a login, whose failure counts as the login's. */
async function counted<T>(
  { accessEvents }: LoginRoutesOptions,
  step: Promise<T>,
): Promise<T> {
  try {
    return await step;
  } catch (error) {
    accessEvents.loginFailed(error);
    throw error;
  }
}

function visitorOf(
  { env, req }: RouteContext<typeof loginRoute | typeof callbackRoute>,
): Omit<LoginAttempt, "base" | "returnTo" | "challenge"> {
  return {
    clientAddress: env.clientAddress,
    isSentByPage: isSentByPage(req.raw.headers),
    cookies: req.header("cookie") ?? "",
  };
}

/** The base host that the request is for; throws unless users can log in on it. */
function checkLogin(
  { base }: ControlContext,
  { login, remoteSettings }: LoginRoutesOptions,
): string {
  if (login.state === "unknown" || remoteSettings.baseDomains.length === 0) {
    throw new GatewayError(
      "login_unavailable",
      "The API has not told the provider or the base domains yet",
    );
  }
  if (login.state === "off" || base === undefined) {
    throw new GatewayError("route_not_found", "No login on this host");
  }
  return base;
}

/** The cookies of open attempts that have to make room for another one: the oldest. */
function surplusAttempts(sent: string, cookies: OwnCookies): string[] {
  const open = [...cookiesByName(sent, cookies.transactionPrefix).keys()];
  // Browsers send the oldest first (RFC 6265bis section 5.8.3).
  return open.slice(0, Math.max(0, open.length - MAX_TRANSACTIONS + 1));
}
