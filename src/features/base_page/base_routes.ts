/** `/` on base hosts, and `/open`, where its form leads on to a preview. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { previewOrigin } from "../../address/preview_host.ts";
import { MAX_SESSION_COOKIES } from "../../auth/credentials.ts";
import { sealedLogins } from "../../auth/login_cookies.ts";
import type { Login } from "../../auth/login_flow.ts";
import type { LoginSessions } from "../../auth/login_sessions.ts";
import type { SessionSealer } from "../../auth/session.ts";
import {
  checkBase,
  type ControlContext,
  type ControlEnv,
  PAGE,
  PROBLEM,
} from "../../control/route.ts";
import { GatewayError } from "../../errors.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import { wantsDocument } from "../../http/fetch_metadata.ts";
import { OWN_ANSWER_HEADERS } from "../../pages/problem.ts";
import { redirect } from "../../pages/redirect.ts";
import {
  BASE_PAGE_POLICY,
  basePageHtml,
  OPEN_PATH,
  type PreviewFields,
} from "./base_page.ts";

type BasePageParts =
  & Pick<
    FeatureParts,
    "version" | "scheme" | "links" | "sandboxPages" | "cookies" | "parseHost"
  >
  & {
    readonly login: Pick<Login, "state">;
    readonly sessions: Pick<SessionSealer, "open">;
    readonly logins: Pick<LoginSessions, "nameOf">;
  };

const pageRoute = createRoute({
  method: "get",
  path: "/",
  summary: "The page of the base domain",
  description:
    "Says what this is, and has a form that leads to a preview. Only with `BASE_PAGE`.",
  responses: { 200: { description: "The page.", content: PAGE } },
});

const openRoute = createRoute({
  method: "get",
  path: OPEN_PATH,
  summary: "Go to a preview",
  description:
    "Redirects to a port of a sandbox below this base domain, or to a name of one, and to nowhere else. Nothing is " +
    "looked up. Only with `BASE_PAGE`.",
  request: {
    query: z.object({
      port: z.string().optional().describe(
        "From 1 to 65535, without leading zeros.",
      ),
      sandbox: z.string().optional().describe(
        "What follows the port in the preview's host name, or a preview's whole address, whose port and path count.",
      ),
      page: z.string().optional().describe(
        "The path of a page about the sandbox, for that one.",
      ),
    }),
  },
  responses: {
    303: { description: "To the preview." },
    400: {
      description: "They name no preview. For a browser, it is the page again.",
      content: { ...PROBLEM, ...PAGE },
    },
  },
});

/** The routes that {@linkcode addBasePage} adds. */
export const BASE_PAGE_ROUTES = [pageRoute, openRoute];

const PAGE_HEADERS = {
  ...OWN_ANSWER_HEADERS,
  "content-security-policy": BASE_PAGE_POLICY,
};

/** Adds `/` and `/open`. */
export function addBasePage(
  app: OpenAPIHono<ControlEnv>,
  parts: BasePageParts,
): void {
  const { version, links, login, sandboxPages } = parts;
  async function render(
    context: ControlContext,
    headers: Headers,
    refused?: PreviewFields,
  ): Promise<string> {
    checkBase(context);
    const authority = context.authority.toLowerCase();
    const hasLogin = login.state !== "off";
    const pages = sandboxPages();
    const users = await usersOf(headers.get("cookie") ?? "", parts);
    const shown = { authority, version, links, pages, hasLogin, users };
    return basePageHtml({ ...shown, refused });
  }
  app.openapi(pageRoute, async (c) => {
    const html = await render(c.env, c.req.raw.headers);
    return c.html(html, 200, PAGE_HEADERS);
  });
  app.openapi(openRoute, async (c) => {
    checkBase(c.env);
    const { port = "", sandbox = "", page } = c.req.valid("query");
    const url = addressIn(sandbox);
    const fields = pasted(url) ?? { port, sandbox, target: "/" };
    const about = sandboxPages().find(({ url }) => url === page);
    const label = fields.sandbox.trim().toLowerCase();
    if (about !== undefined && /^[\w-]+$/.test(label)) {
      return redirect(303, about.url + label);
    }
    const origin = originOf(fields, c.env, parts);
    if (origin !== undefined) return redirect(303, origin + fields.target);
    const named = url && atName(url, c.env, parts);
    if (named) return redirect(303, named);
    const { headers } = c.req.raw;
    if (!wantsDocument(headers)) {
      throw new GatewayError("bad_request", "No preview of ours");
    }
    c.header("x-porthole-error", "bad_request");
    const html = await render(c.env, headers, { port, sandbox });
    return c.html(html, 400, PAGE_HEADERS);
  });
}

/** Who has logged in, by the sessions in a Cookie header; a browser has one for each sandbox, or for each user. */
async function usersOf(
  sent: string,
  { cookies, sessions, logins }: BasePageParts,
): Promise<string[]> {
  const sealed = [cookies.loginSessionPrefix, cookies.userSessionPrefix]
    .flatMap((prefix) => sealedLogins(sent, prefix))
    .slice(-MAX_SESSION_COOKIES);
  const opened = await Promise.all(sealed.map((one) => sessions.open(one)));
  const names = await Promise.all(opened.map((one) => logins.nameOf(one)));
  return [...new Set(names)].filter((name) => name !== undefined);
}

function addressIn(text: string): URL | null {
  const typed = text.trim();
  return URL.parse(/^https?:/i.test(typed) ? typed : `https://${typed}`);
}

function targetOf({ pathname, search, hash }: URL): string {
  return pathname + search + hash;
}

/** What a pasted address names, at whichever domain; undefined if it is none of a preview. */
function pasted(
  url: URL | null,
): PreviewFields & { readonly target: string } | undefined {
  const [, port, sandbox] = /^(\d+)-([\w-]+)\./.exec(url?.hostname ?? "") ?? [];
  if (!url || port === undefined || sandbox === undefined) return undefined;
  return { port, sandbox, target: targetOf(url) };
}

/** A pasted address of a name, by the port of the very host that the form is on; undefined if it is of none. */
function atName(
  url: URL,
  { authority }: ControlContext,
  { scheme, parseHost }: BasePageParts,
): string | undefined {
  const [port = ""] = /:\d+$/.exec(authority) ?? [];
  const parsed = parseHost(url.hostname + port);
  return parsed.kind === "preview" && parsed.host.name !== undefined
    ? previewOrigin(parsed.host, scheme) + targetOf(url)
    : undefined;
}

/** The origin of the preview that the form names; undefined if it names none below the very host that it is on. */
function originOf(
  fields: PreviewFields,
  { authority, base }: ControlContext,
  { scheme, parseHost }: BasePageParts,
): string | undefined {
  const [port, sandbox] = [fields.port.trim(), fields.sandbox.trim()];
  if (!/^\d+$/.test(port) || !/^[\w-]+$/.test(sandbox)) return undefined;
  const host = `${port}-${sandbox}.${authority}`;
  const parsed = parseHost(host);
  return parsed.kind === "preview" && parsed.host.base === base
    ? previewOrigin(parsed.host, scheme)
    : undefined;
}
