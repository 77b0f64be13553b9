/** Login at the identity provider: `/login` and `/callback`, on a base host. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { checkReturnUrl } from "../../address/return_url.ts";
import { cookieNames, cookieValues } from "../../auth/cookies.ts";
import type { Login, LoginState } from "../../auth/login.ts";
import {
  TRANSACTION_TTL_MS,
  transactionId,
} from "../../auth/oidc/transaction.ts";
import type { OwnCookies } from "../../auth/own_cookies.ts";
import { GatewayError } from "../../errors.ts";
import type { ControlContext, ControlEnv } from "../control_env.ts";
import { redirect } from "../redirect.ts";

/** Parts of the login routes. */
export interface LoginRoutesOptions {
  readonly scheme: "http" | "https";
  readonly baseDomains: () => readonly string[];
  readonly cookies: OwnCookies;
  readonly login: () => LoginState;
  readonly now: () => number;
}

/**
 * How soon after a login the next one for the same sandbox can only mean that the browser refused the session, seconds:
 * without this, preview, login and provider would send it round in a circle.
 */
const LOOP_SEC = 10;

/** How long after a login without access the next one asks for another account, seconds. */
const OTHER_ACCOUNT_SEC = 600;

/** Attempts that one browser may have open; cookies of more would crowd out others. */
const MAX_TRANSACTIONS = 8;

const PROBLEM = { "application/problem+json": { schema: z.unknown() } };

const loginRoute = createRoute({
  method: "get",
  path: "/login",
  summary: "Log in",
  description:
    "Sends the browser to the identity provider. The preview that needs a login sends it here.",
  request: {
    query: z.object({
      return_to: z.string().openapi({
        description: "The preview URL to come back to, below this base domain.",
      }),
    }),
  },
  responses: {
    302: { description: "To the identity provider." },
    400: {
      description: "`return_to` is no preview of ours.",
      content: PROBLEM,
    },
    503: {
      description: "The identity provider does not answer.",
      content: PROBLEM,
    },
  },
});

const callbackRoute = createRoute({
  method: "get",
  path: "/callback",
  summary: "Return from the identity provider",
  description:
    "The redirect URI to register at the identity provider. Ends the login and goes back to the preview with a session.",
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
    400: {
      description: "No such login, or one that cannot be accepted.",
      content: PROBLEM,
    },
    403: {
      description: "Declined at the identity provider.",
      content: PROBLEM,
    },
    404: {
      description: "The user has no access to the sandbox.",
      content: PROBLEM,
    },
    503: {
      description: "The identity provider does not answer.",
      content: PROBLEM,
    },
  },
});

/** Adds `/login` and `/callback`. */
export function addLoginRoutes(
  app: OpenAPIHono<ControlEnv>,
  options: LoginRoutesOptions,
): void {
  const { scheme, cookies, now } = options;

  /** @throws {GatewayError} where there is no login here, or not yet */
  function loginAt(context: ControlContext): Login {
    const state = options.login();
    if (state.kind === "unknown" || options.baseDomains().length === 0) {
      throw new GatewayError(
        "login_unavailable",
        "The API has not told the provider or the base domains yet",
      );
    }
    if (state.kind === "off" || context.base === undefined) {
      throw new GatewayError("route_not_found", "No login on this host");
    }
    return state.login;
  }

  function callbackUri({ authority }: ControlContext): string {
    return `${scheme}://${authority.toLowerCase()}/callback`;
  }

  /** What a callback that failed leaves in the browser. */
  function cookiesAfter(error: unknown, transaction: string): string[] {
    // While the provider is down, the same callback may be tried again.
    if (
      !(error instanceof GatewayError) || error.code === "login_unavailable"
    ) return [];
    const lines = [cookies.hostOnly(transaction, "", 0)];
    if (error.code === "no_access") {
      lines.push(
        cookies.hostOnly(cookies.otherAccount, "1", OTHER_ACCOUNT_SEC),
      );
    }
    return lines;
  }

  app.openapi(loginRoute, async (c) => {
    const login = loginAt(c.env);
    // Another sandbox's script could crowd out the attempts that its visitor has open.
    const mode = c.req.header("sec-fetch-mode") ?? "navigate";
    if (mode !== "navigate") {
      throw new GatewayError("cross_site_request", "Login by no navigation");
    }
    const checked = checkReturnUrl(c.req.valid("query").return_to, {
      scheme,
      baseDomains: options.baseDomains(),
      authority: c.env.authority,
    });
    if (!checked.ok) {
      throw new GatewayError("bad_return_url", "Not a preview of ours");
    }
    const field = c.req.header("cookie") ?? "";
    const loggedIn = cookies.loggedIn(checked.host.label);
    if (cookieValues(field, loggedIn).length > 0) {
      throw new GatewayError("session_not_kept", "Logged in a moment ago");
    }
    const reauthenticate = cookieValues(field, cookies.otherAccount).length > 0;
    const { location, state, sealed } = await login.start({
      returnTo: checked.url,
      redirectUri: callbackUri(c.env),
      reauthenticate,
    });
    const open = cookieNames(field, cookies.transactionPrefix);
    // The oldest come first (RFC 6265bis section 5.8.3).
    const surplus = open.slice(
      0,
      Math.max(0, open.length - MAX_TRANSACTIONS + 1),
    );
    return redirect(302, location, [
      ...surplus.map((name) => cookies.hostOnly(name, "", 0)),
      ...(reauthenticate
        ? [cookies.hostOnly(cookies.otherAccount, "", 0)]
        : []),
      cookies.hostOnly(
        cookies.transaction(transactionId(state)),
        sealed,
        TRANSACTION_TTL_MS / 1000,
      ),
    ]);
  });

  app.openapi(callbackRoute, async (c) => {
    const login = loginAt(c.env);
    const parameters = new URL(c.req.url).searchParams;
    const name = cookies.transaction(
      transactionId(parameters.get("state") ?? ""),
    );
    const { returnTo, session, sealed } = await login.finish({
      parameters,
      transactions: cookieValues(c.req.header("cookie") ?? "", name),
      redirectUri: callbackUri(c.env),
      clientAddress: c.env.clientAddress,
    }).catch((error: unknown) => {
      for (const line of cookiesAfter(error, name)) {
        c.header("set-cookie", line, { append: true });
      }
      throw error;
    });
    const maxAgeSec = Math.floor((session.expiresAt - now()) / 1000);
    return redirect(303, returnTo, [
      cookies.hostOnly(name, "", 0),
      cookies.hostOnly(cookies.loggedIn(session.label), "1", LOOP_SEC),
      cookies.forBase(cookies.loginSession(session.label), sealed, {
        base: c.env.base ?? "",
        maxAgeSec,
      }),
    ]);
  });
}
