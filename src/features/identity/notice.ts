/**
 * What asks visitors what an app may be told of them besides a pseudonym. The page is on the base host, as an app could
 * press a button on its own one: whoever opens a preview in a window is sent there once, with a ticket that this gateway
 * has sealed, and answers as the login that the ticket names. Until then, and for whatever else asks, the pseudonym is all.
 */
import type { OpenAPIHono } from "@hono/zod-openapi";
import { previewOrigin } from "../../address/preview_host.ts";
import { checkReturnUrl, stillReturnUrl } from "../../address/return_url.ts";
import { MAX_SESSION_COOKIES } from "../../auth/credentials.ts";
import { type ControlEnv, ownOrigin } from "../../control/route.ts";
import { GatewayError } from "../../errors.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import type { PreviewExchange } from "../../gateway/preview_route.ts";
import { cookieValues } from "../../http/cookies.ts";
import { isSameOriginRequest, isWindow } from "../../http/fetch_metadata.ts";
import { isShown } from "../../http/visit.ts";
import { ExpiringLru } from "../../lib/lru.ts";
import { redirect } from "../../pages/redirect.ts";
import { answerId, Answers } from "./answers.ts";
import { type ClaimName, claimsOf } from "./claims.ts";
import { NOTICE_HEADERS, noticePage } from "./notice_page.ts";
import type { Visitor } from "./visitor.ts";

const PATH = "/identity";

/** For how long a ticket is good, and a visitor who does not answer is not asked again, ms. */
const ASKED_MS = 600_000;

const MAX_FORM_BYTES = 1000;

/** Whom a preview sends to the page: a login's id, the sandbox, and the URL that its visitor wanted. */
type Ticket = Readonly<{ login: string; sandboxId: string; url: string }>;

/** Creates what asks for claims of these `names`, and takes the answers. */
// deno-lint-ignore explicit-module-boundary-types -- its functions, by their names
export function createNotices(
  parts: FeatureParts,
  names: readonly ClaimName[],
) {
  const { config, scheme, parseHost, cookies, sessions, logins, now } = parts;
  const sealer = parts.sealerFor("identity-notice");
  const answers = new Answers(parts);
  const life = { max: config.cache.maxEntries, ttlMs: ASKED_MS, now };
  /** Who was asked lately: nobody goes in circles whose base host has lost the login. */
  const asked = new ExpiringLru<string, true>(life);

  /** Where a visitor is led back to, as a login would; undefined unless they wait for a page in a window of theirs. */
  function returnUrlOf(x: PreviewExchange): string | undefined {
    const { received, route: { host, appTarget } } = x;
    if (!isShown(received) || !isWindow(received.headers)) return undefined;
    const url = previewOrigin(host, scheme) + appTarget;
    const own = { scheme, parseHost, authority: host.authoritySuffix };
    return checkReturnUrl(url, own)?.url;
  }

  /** What a request's ticket is about; throws `login_expired` unless it is good, and the browser has its login. */
  async function asking({ url, headers }: Request) {
    const sealed = new URL(url).searchParams.get("ticket") ?? "";
    const ticket = (await sealer.open(sealed))?.["ticket"] as Ticket;
    const returnTo = ticket && stillReturnUrl(ticket.url, parseHost);
    if (returnTo === undefined) {
      throw new GatewayError("login_expired", "Not a ticket, or not any more");
    }
    const { login: id, sandboxId } = ticket;
    const { url: retryUrl, host } = returnTo;
    const sent = headers.get("cookie") ?? "";
    const own = [cookies.loginSession(host.label), cookies.userSession(id)]
      .flatMap((name) => cookieValues(sent, name).slice(-MAX_SESSION_COOKIES));
    for (const each of own) {
      const login = await sessions.open(each);
      const isLogin = login?.kind === "login" || login?.kind === "user";
      if (!isLogin || login.id !== id) continue;
      const user = await logins.userOf(login);
      const claims = user && claimsOf(user.identity, names);
      if (claims) return { login, sandboxId, returnTo, claims };
    }
    const advice = { retryUrl };
    throw new GatewayError("login_expired", "Not logged in", { advice });
  }

  return {
    /** The visitor with those claims that may go out; a response if they are asked first. */
    async agreed(
      x: PreviewExchange,
      visitor: Visitor,
    ): Promise<Visitor | Response> {
      const { login, claims = {} } = visitor;
      const all = Object.entries(claims);
      if (login === undefined || all.length === 0) return visitor;
      const { sandboxId, route: { host } } = x;
      const id = answerId(login, sandboxId);
      const answer = await answers.get(id);
      const isDue = answer === undefined && !asked.has(id);
      const url = isDue ? returnUrlOf(x) : undefined;
      if (url !== undefined) {
        asked.set(id, true);
        const ticket: Ticket = { login: login.id, sandboxId, url };
        const sealed = await sealer.seal({ ticket }, now() + ASKED_MS);
        x.progress.note("identity notice");
        const base = `${scheme}://${host.authoritySuffix}`;
        return redirect(302, `${base}${PATH}?ticket=${sealed}`);
      }
      const told = all.filter(([name]) => answer?.includes(name));
      return { ...visitor, claims: Object.fromEntries(told) };
    },

    /** Adds the page, and where its form is sent, to base hosts. */
    addRoutes(app: OpenAPIHono<ControlEnv>): void {
      app.get(PATH, async (c) => {
        const html = noticePage(await asking(c.req.raw));
        return c.html(html, 200, NOTICE_HEADERS);
      });
      app.post(PATH, async ({ req: { raw }, env }) => {
        const origin = ownOrigin(env, scheme);
        if (isSameOriginRequest(raw.headers, origin) !== true) {
          throw new GatewayError("cross_site_request", "Not the page's form");
        }
        const { login, sandboxId, returnTo, claims } = await asking(raw);
        const form = await env.readForm(MAX_FORM_BYTES);
        const fields = new URLSearchParams(new TextDecoder().decode(form));
        const answer = fields.get("tell") === "yes" ? Object.keys(claims) : [];
        await answers.set(answerId(login, sandboxId), answer, login);
        return redirect(303, returnTo.url);
      });
    },
  };
}
