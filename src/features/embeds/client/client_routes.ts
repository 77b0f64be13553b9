/** The module by which a page shows previews, and its types: on base hosts, for pages of all origins. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { createHash } from "node:crypto";
import script from "../../../../gen/text/features/embeds/client/embed.js.ts";
import types from "../../../../gen/text/features/embeds/client/embed.types.ts";
import { checkBase, type ControlEnv } from "../../../control/route.ts";

/** Short, so that pages soon have that of an upgraded gateway. */
const MAX_AGE_SEC = 300;

function routeOf(path: string, mediaType: string, summary: string) {
  return createRoute({
    method: "get",
    path,
    summary,
    description: "Only with `EMBEDS`. Pages of all origins may load it.",
    responses: {
      200: {
        description: "The file.",
        content: { [mediaType]: { schema: z.string() } },
      },
      304: { description: "The client has it." },
    },
  });
}

const scriptRoute = routeOf(
  "/.porthole/embed.js",
  "text/javascript",
  "The module by which a page shows previews",
);

const typesRoute = routeOf(
  "/.porthole/embed.d.ts",
  "application/typescript",
  "The types of that module",
);

/** The routes that {@linkcode embedClientRoutes} adds. */
export const EMBED_CLIENT_ROUTES = [scriptRoute, typesRoute];

/** Adds `/.porthole/embed.js` and `/.porthole/embed.d.ts`. */
export function embedClientRoutes(app: OpenAPIHono<ControlEnv>): void {
  for (
    const [route, text] of [[scriptRoute, script], [typesRoute, types]] as const
  ) {
    const [mediaType] = Object.keys(route.responses[200].content);
    const digest = createHash("sha256").update(text).digest("base64url");
    const headers = {
      "content-type": `${mediaType}; charset=utf-8`,
      "cache-control": `public, max-age=${MAX_AGE_SEC}`,
      "etag": `"${digest}"`,
      "x-content-type-options": "nosniff",
      "access-control-allow-origin": "*",
      "cross-origin-resource-policy": "cross-origin",
    };
    app.openapi(route, (c) => {
      checkBase(c.env);
      const isKnown = c.req.header("if-none-match")?.includes(headers.etag);
      return isKnown
        ? new Response(null, { status: 304, headers })
        : new Response(text, { headers });
    });
  }
}
