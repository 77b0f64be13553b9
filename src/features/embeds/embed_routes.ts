/** The routes of embeds: those of each kind of records, and their renewal. */
import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { timeField, timeOf } from "../../control/api/fields.ts";
import { jsonBody } from "../../control/api/json_body.ts";
import {
  API_REFUSALS,
  BODY_REFUSALS,
  describeRecords,
} from "../../control/api/record_descriptions.ts";
import { addRecordRoutes, notFound } from "../../control/api/record_routes.ts";
import {
  type ControlEnv,
  json,
  type RouteConfig,
} from "../../control/route.ts";
import { GatewayError } from "../../errors.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import { OWN_ANSWER_HEADERS } from "../../pages/problem.ts";
import type { EmbedCodes } from "./embed_codes.ts";
import {
  ASKED_EMBED,
  type embedKind,
  EMBEDS,
  TOLD_EMBED,
} from "./embed_kind.ts";

const RENEWAL = z.strictObject({});

const LINKS = {
  url: z.string().describe("For the frame, once and within a minute."),
  stateToken: z.string().describe(
    "The bearer for `stateUrl`, until an hour after the end.",
  ),
};

/** The descriptions of the routes. */
export const EMBED_ROUTES: readonly RouteConfig[] = [
  ...describeRecords({
    name: EMBEDS.name,
    one: "preview embed",
    description:
      "It lets pages of these origins show a port of the sandbox in frames. Unless `EMBEDS` is `off`.",
    asked: ASKED_EMBED,
    told: TOLD_EMBED,
    toldOnce: {
      ...LINKS,
      stateUrl: z.string().describe("Tells such pages how the preview is."),
    },
  }),
  {
    method: "post",
    path: `/api/v1/${EMBEDS.name}/{id}/renew`,
    operationId: `${EMBEDS.name}_renew`,
    summary: "Renew a preview embed",
    description:
      "For members of the sandbox. It ends `ttlSec` from now, and what it has open goes on.",
    request: {
      params: z.object({ id: z.string() }),
      body: { required: true, content: json(RENEWAL) },
    },
    responses: {
      200: {
        description: "Renewed.",
        content: json(z.object({ ...LINKS, expiresAt: timeField })),
      },
      ...API_REFUSALS,
      ...BODY_REFUSALS,
    },
  },
];

/** Adds the routes of embeds. */
export function addEmbedRoutes(
  app: OpenAPIHono<ControlEnv>,
  kind: ReturnType<typeof embedKind>,
  parts: FeatureParts & { readonly codes: Pick<EmbedCodes, "linksTo"> },
): void {
  const { records, codes, now } = parts;
  const routes = addRecordRoutes(app, kind, parts);
  app.post(`/api/v1/${EMBEDS.name}/:id/renew`, async (c) => {
    const { found, subject } = await routes.find(c); // nobody else's body is read
    await jsonBody(c, RENEWAL);
    const { id, sandboxId } = found.record;
    const renewed = await records.update(EMBEDS, id, (embed) => {
      const expiresAt = now() + 1000 * embed.data.own.ttlSec;
      return embed.sandboxId === sandboxId
        ? { ...embed, expiresAt }
        : undefined;
    });
    if (renewed === undefined) throw notFound();
    if (renewed === "full") throw new GatewayError("records_full", "A cap");
    const { record } = renewed;
    routes.audit("renewed", c, record, subject);
    const { port, terms: { ancestors } } = record.data.own;
    const expiresAt = record.expiresAt ?? now();
    const authority = c.env.authority.toLowerCase();
    const { url, stateToken } = await codes
      .linksTo({ id, sandboxId, expiresAt, port, ancestors, authority });
    const told = { url, expiresAt: timeOf(expiresAt), stateToken };
    return Response.json(told, { headers: OWN_ANSWER_HEADERS });
  });
}
