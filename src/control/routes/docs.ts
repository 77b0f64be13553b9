/** The description of the gateway's own routes, for machines and for people. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { appsPage } from "../../pages/apps_page.ts";
import type { CurrentBrand } from "../../pages/brand.ts";
import { docsPage } from "../../pages/docs_page.ts";
import { escapeHtml } from "../../pages/html.ts";
import { PAGE_POLICY } from "../../pages/page.ts";
import { OWN_ANSWER_HEADERS } from "../../pages/problem.ts";
import { KeptDocuments } from "../kept_documents.ts";
import { type ControlContext, type ControlEnv, json, PAGE } from "../route.ts";

/** An OpenAPI 3.1 document. */
export type OpenApiDocument = ReturnType<
  OpenAPIHono<ControlEnv>["getOpenAPI31Document"]
>;

const documentRoute = createRoute({
  method: "get",
  path: "/openapi.json",
  summary: "This description",
  description: "The OpenAPI 3.1 description of the gateway's own routes.",
  responses: {
    200: { description: "The description.", content: json(z.unknown()) },
  },
});

const docsRoute = createRoute({
  method: "get",
  path: "/docs",
  summary: "This description as a page",
  description: "Routes and error codes as a page that loads nothing else.",
  responses: { 200: { description: "The page.", content: PAGE } },
});

const appsRoute = createRoute({
  method: "get",
  path: "/docs/apps",
  summary: "What the developer of an app should know",
  description:
    "What an app behind a preview receives, and what each framework needs, as a page that loads nothing else.",
  responses: { 200: { description: "The page.", content: PAGE } },
});

/** The OpenAPI description of all routes of `app`. */
export function describe(
  app: OpenAPIHono<ControlEnv>,
  version: string,
): OpenApiDocument {
  return app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Porthole",
      version,
      description:
        "The preview gateway's own routes. Everything on a preview host belongs to the app behind it.",
      license: { name: "MIT" },
    },
  });
}

/** What stands for a domain until it is known: letters, which nothing escapes, and no word of a page. */
const DOMAIN = "domainOfThisGateway";

const PAGE_HEADERS = {
  ...OWN_ANSWER_HEADERS,
  "content-type": "text/html; charset=UTF-8",
  "content-security-policy": PAGE_POLICY,
};

/** The routes that {@linkcode addDocsRoutes} adds. */
export const DOCS_ROUTES = [documentRoute, docsRoute, appsRoute];

const JSON_HEADERS = {
  ...OWN_ANSWER_HEADERS,
  "content-type": "application/json",
};

/** Adds `/openapi.json`, `/docs` and `/docs/apps`. */
export function addDocsRoutes(
  app: OpenAPIHono<ControlEnv>,
  version: string,
  brand: CurrentBrand | undefined,
): void {
  const documents = new KeptDocuments();
  let description: OpenApiDocument | undefined;
  /** Created on the first request, when all routes have been added. */
  function document(): OpenApiDocument {
    return description ??= describe(app, version);
  }
  /** Pages by name, with {@linkcode DOMAIN} in the place of the domain. */
  const templates = new Map<string, string>();
  /** A page, which differs by domain; it is dressed as it leaves. */
  function page(
    { req, env }: Context<ControlEnv>,
    name: string,
    render: (domain?: string) => string,
  ): Response {
    const domain = domainOf(env);
    if (domain !== undefined && domain !== env.base) {
      // A client can name any port: no such page is kept, and to fill one in takes less than to make it.
      const template = templates.get(name) ?? render(DOMAIN);
      templates.set(name, template);
      const filled = template.replaceAll(DOMAIN, () => escapeHtml(domain));
      return new Response(filled, { headers: PAGE_HEADERS });
    }
    return documents.answer({
      key: `${name} ${domain ?? ""}`,
      acceptEncoding: req.header("accept-encoding") ?? null,
      mayCompress: brand?.() === undefined,
      make: () => render(domain),
    }, PAGE_HEADERS);
  }
  // Hono would have the response of such a route made of an object.
  app.openAPIRegistry.registerPath(documentRoute);
  app.get(documentRoute.path, (c) =>
    documents.answer({
      key: "description",
      acceptEncoding: c.req.header("accept-encoding") ?? null,
      mayCompress: true,
      make: () => JSON.stringify(document()),
    }, JSON_HEADERS));
  app.openapi(
    docsRoute,
    (c) => page(c, "docs", (domain) => docsPage(document(), domain)),
  );
  app.openapi(appsRoute, (c) => page(c, "apps", appsPage));
}

/** The base domain as its visitor writes it; undefined on any other host. */
function domainOf({ base, authority }: ControlContext): string | undefined {
  return base && authority.toLowerCase();
}
