/** `/s/{id}` on base hosts: the page of a share, and what its button asks. */
import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { jsonBody } from "../../control/api/json_body.ts";
import { BODY_REFUSALS } from "../../control/api/record_descriptions.ts";
import { answer } from "../../control/api/record_routes.ts";
import {
  checkBase,
  type ControlEnv,
  json,
  ownOrigin,
  PAGE,
  refusal,
  type RouteConfig,
} from "../../control/route.ts";
import { GatewayError } from "../../errors.ts";
import { isSameOriginRequest } from "../../http/fetch_metadata.ts";
import { facts } from "./facts.ts";
import { SHARE_RECORD_ROUTES } from "./share_kind.ts";
import { openShare, type ShareParts } from "./share_opening.ts";
import { sharePage } from "./share_page.ts";

const PRESS = z.strictObject({
  secret: z.string().max(100),
  passcode: z.string().max(100).optional(),
});

const ofOne = {
  path: "/s/{id}",
  request: { params: z.object({ id: z.string() }) },
};

/** The descriptions of all of their routes. */
export const SHARE_ROUTES: readonly RouteConfig[] = [
  ...SHARE_RECORD_ROUTES,
  {
    ...ofOne,
    method: "get",
    operationId: "share_page",
    summary: "The page of a share link",
    description:
      "The same for every link, whether there is such a share or not: it opens nothing before its button is pressed.",
    responses: { 200: { description: "The page.", content: PAGE } },
  },
  {
    ...ofOne,
    method: "post",
    operationId: "share_open",
    summary: "Open a share",
    description: "For that page, after a press.",
    request: {
      ...ofOne.request,
      body: { required: true, content: json(PRESS) },
    },
    responses: {
      200: {
        description: "Where the preview is, once and within a minute.",
        content: json(z.object({ location: z.string() })),
      },
      ...BODY_REFUSALS,
      401: refusal(
        "There is no such share, or it takes a passcode, or a login at `loginUrl`.",
      ),
      403: refusal("Another page sent it, or it is for other addresses."),
      410: refusal("It was opened as often as it may be."),
      429: refusal("Too many passcodes were wrong, or requests refused."),
      503: refusal(
        "The records or the provider do not answer, or too many ask at once.",
      ),
    },
  },
];

/** Adds the page and its exchange. */
export function addShareRoutes(
  app: OpenAPIHono<ControlEnv>,
  parts: ShareParts,
): void {
  const path = `/s/:id{${facts.guestPages.s}}` as const;
  app.get(path, (c) => {
    checkBase(c.env);
    return sharePage();
  });
  app.post(path, async (c) => {
    checkBase(c.env);
    const origin = ownOrigin(c.env, parts.scheme);
    if (isSameOriginRequest(c.req.raw.headers, origin) !== true) {
      throw new GatewayError("cross_site_request", "Not sent by our page");
    }
    const press = await jsonBody(c, PRESS);
    const id = c.req.param("id");
    return answer(200, {
      location: await openShare(c, { id, ...press }, parts),
    });
  });
}
