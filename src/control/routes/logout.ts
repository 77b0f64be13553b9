/** `/logout` on base hosts: ends the login sessions of one sandbox or of all. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { LABEL } from "../../address/grammar.ts";
import { MAX_SESSION_COOKIES } from "../../auth/credentials.ts";
import type { Login } from "../../auth/login_flow.ts";
import type { LoginSessions } from "../../auth/login_sessions.ts";
import type { OwnCookies } from "../../auth/own_cookies.ts";
import type { SessionSealer } from "../../auth/session.ts";
import type { SessionScope } from "../../config/config.ts";
import { GatewayError } from "../../errors.ts";
import { cookiesByName } from "../../http/cookies.ts";
import { isSameOriginRequest } from "../../http/fetch_metadata.ts";
import type { AccessEvents } from "../../observability/access_events.ts";
import { logoutPage } from "../../pages/logout_page.ts";
import { PAGE_POLICY } from "../../pages/page.ts";
import { OWN_ANSWER_HEADERS } from "../../pages/problem.ts";
import {
  checkBase,
  type ControlContext,
  type ControlEnv,
  ownOrigin,
  PAGE,
  refusal,
  type RouteContext,
} from "../route.ts";

/** Dependencies of the logout routes. */
export interface LogoutRoutesOptions {
  readonly scheme: "http" | "https";
  readonly cookies: OwnCookies;
  readonly login: Pick<Login, "state">;
  readonly sessions: Pick<SessionSealer, "open">;
  readonly logins: Pick<LoginSessions, "end">;
  /** What logins are for: one for a user ends as a whole. */
  readonly sessionScope: SessionScope;
  /** True if there is a page at `/`. */
  readonly hasHomePage: boolean;
  readonly accessEvents: Pick<AccessEvents, "loggedOut">;
}

/** Most sessions that one request may end: browsers keep some 180 cookies per site. */
const MAX_SESSIONS = 200;

const MAX_FORM_BYTES = 10_000;

const SANDBOX = z.string().regex(new RegExp(`^${LABEL}$`)).optional()
  .describe("The sandbox to log out of; all of them if omitted.");

const COOKIES = z.literal("delete").optional().describe(
  "Has the browser delete all cookies of all previews, too.",
);

const pageRoute = createRoute({
  method: "get",
  path: "/logout",
  summary: "Ask before logging out",
  description: "A page with a button that logs out.",
  request: { query: z.object({ sandbox: SANDBOX }) },
  responses: { 200: { description: "The page.", content: PAGE } },
});

const logoutRoute = createRoute({
  method: "post",
  path: "/logout",
  summary: "Log out",
  description:
    "Ends the sessions that logins opened, and so every copy of their cookies. The session at the identity provider " +
    "remains, but this browser's next login asks it for an account, unless all cookies are deleted. Sessions that links " +
    "with a preview token opened are no logins: they last until they end, or all cookies are deleted.",
  request: {
    body: {
      content: {
        "application/x-www-form-urlencoded": {
          schema: z.object({ sandbox: SANDBOX, cookies: COOKIES }),
        },
      },
    },
  },
  responses: {
    200: { description: "Logged out.", content: PAGE },
    403: refusal("The request came from another site."),
    408: refusal("The form did not arrive in time."),
    503: refusal("The store of sessions cannot be reached."),
  },
});

/** The routes that {@linkcode addLogoutRoutes} adds. */
export const LOGOUT_ROUTES = [pageRoute, logoutRoute];

const PAGE_HEADERS = {
  ...OWN_ANSWER_HEADERS,
  // With no-referrer a browser would send the form with `Origin: null`.
  "referrer-policy": "same-origin",
  // No other page may frame the button for clickjacking.
  "content-security-policy": `${PAGE_POLICY}; frame-ancestors 'none'`,
};

/** Adds `/logout`. */
export function addLogoutRoutes(
  app: OpenAPIHono<ControlEnv>,
  options: LogoutRoutesOptions,
): void {
  const { hasHomePage } = options;
  const endsAll = options.sessionScope === "host";
  // Added first, so that it precedes both routes, and the reading of the form.
  app.use("/logout", async (c, next) => {
    checkRequest(c.req.raw, c.env, options);
    if (c.req.method === "POST") {
      const body = await c.env.readForm(MAX_FORM_BYTES);
      c.req.raw = new Request(c.req.raw, { body });
    }
    await next();
  });
  app.openapi(pageRoute, (c) => {
    const sandbox = endsAll ? undefined : c.req.valid("query").sandbox;
    // Cookies can be too many without a login, too.
    const state = options.login.state === "off" ? "no_login" : "asking";
    const page = logoutPage({ state, sandbox, hasHomePage });
    return c.html(page, 200, PAGE_HEADERS);
  });
  app.openapi(logoutRoute, async (c) => {
    const form = c.req.valid("form");
    const sandbox = endsAll ? undefined : form.sandbox;
    await endSessions(c, sandbox, options);
    if (options.login.state !== "off") {
      const mark = options.cookies.markOfLogout();
      c.header("set-cookie", mark, { append: true });
    }
    const deletesCookies = form.cookies === "delete";
    // Only on a person's demand: it may reach other sites of the operator's, below the same registrable domain.
    if (deletesCookies) c.header("clear-site-data", '"cookies"');
    const state = deletesCookies ? "deleted" : "done";
    const page = logoutPage({ state, sandbox, hasHomePage });
    return c.html(page, 200, PAGE_HEADERS);
  });
}

/** Throws unless a request is to a base host and, if it is a form, the logout page's own. */
function checkRequest(
  { method, headers }: Request,
  context: ControlContext,
  { scheme }: LogoutRoutesOptions,
): void {
  checkBase(context);
  if (method !== "POST") return;
  // Sandboxes' pages are same-site here, so only our own page may log out, or a client other than a browser.
  if (isSameOriginRequest(headers, ownOrigin(context, scheme)) === false) {
    throw new GatewayError("cross_site_request", "Logout from elsewhere");
  }
  if (!/^[0-9]{1,4}$/.test(headers.get("content-length") ?? "")) {
    throw new GatewayError("bad_request", "Not the form of /logout");
  }
}

/** Ends the browser's logins, all or one sandbox's, and expires their cookies; logins of the other scope end as well. */
async function endSessions(
  c: RouteContext<typeof logoutRoute>,
  sandbox: string | undefined,
  { cookies, sessions, logins, accessEvents }: LogoutRoutesOptions,
): Promise<void> {
  const { base = "", requestId } = c.env;
  const sent = c.req.header("cookie") ?? "";
  const presented = cookiesByName(sent, cookies.loginSessionPrefix);
  const users = cookiesByName(sent, cookies.userSessionPrefix);
  const names = sandbox === undefined
    ? [...presented.keys()].slice(-MAX_SESSIONS)
    : [cookies.loginSession(sandbox)];
  function setCookie(line: string): void {
    c.header("set-cookie", line, { append: true });
  }
  async function end(values: readonly string[], kind: "login" | "user") {
    for (const sealed of values.slice(-MAX_SESSION_COOKIES)) {
      const session = await sessions.open(sealed);
      if (session?.kind !== kind) continue;
      const sub = await logins.end(session);
      if (session.kind === "user") {
        accessEvents.loggedOut({ requestId, sub });
        continue;
      }
      const { sandboxId } = session;
      accessEvents.loggedOut({ requestId, sandboxId, sub });
      setCookie(cookies.hostOnly(cookies.loggedIn(sandboxId), "", 0));
    }
  }
  for (const name of names) {
    await end(presented.get(name) ?? [], "login");
    setCookie(cookies.forBase(name, "", { base, maxAgeSec: 0 }));
  }
  if (sandbox !== undefined) return;
  for (const [name, values] of [...users].slice(-MAX_SESSIONS)) {
    await end(values, "user");
    setCookie(cookies.hostOnly(name, "", 0));
  }
}
