/** The description of the gateway's own routes, for machines and for people. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { appsPage } from "../../pages/apps_page.ts";
import { docsPage } from "../../pages/docs_page.ts";
import { PAGE_POLICY } from "../../pages/page.ts";
import { OWN_ANSWER_HEADERS } from "../../pages/problem.ts";
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

const PAGE_HEADERS = {
  ...OWN_ANSWER_HEADERS,
  "content-security-policy": PAGE_POLICY,
};

/** The routes that {@linkcode addDocsRoutes} adds. */
export const DOCS_ROUTES = [documentRoute, docsRoute, appsRoute];

/** Adds `/openapi.json`, `/docs` and `/docs/apps`. */
export function addDocsRoutes(
  app: OpenAPIHono<ControlEnv>,
  version: string,
): void {
  let description: OpenApiDocument | undefined;
  /** Created on the first request, when all routes have been added. */
  function document(): OpenApiDocument {
    return description ??= describe(app, version);
  }
  app.openapi(
    documentRoute,
    (c) => c.json(document(), 200, OWN_ANSWER_HEADERS),
  );
  app.openapi(
    docsRoute,
    (c) => c.html(docsPage(document(), domainOf(c.env)), 200, PAGE_HEADERS),
  );
  app.openapi(
    appsRoute,
    (c) => c.html(appsPage(domainOf(c.env)), 200, PAGE_HEADERS),
  );
}

/** The base domain as its visitor writes it; undefined on any other host. */
function domainOf({ base, authority }: ControlContext): string | undefined {
  return base && authority.toLowerCase();
}
