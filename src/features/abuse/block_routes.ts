/** `/api/v1/blocks` on base hosts: the operator, who has `BLOCKS_TOKEN`, blocks what is abused. */
import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { createHash, timingSafeEqual } from "node:crypto";
import { isUuid } from "../../address/grammar.ts";
import { splitAuthority } from "../../address/preview_host.ts";
import { bearerOf } from "../../auth/credentials.ts";
import { checked, invalid } from "../../control/api/json_body.ts";
import { API_REFUSALS } from "../../control/api/record_descriptions.ts";
import { answer } from "../../control/api/record_routes.ts";
import {
  checkBase,
  type ControlEnv,
  json,
  refusal,
  type RouteConfig,
} from "../../control/route.ts";
import { GatewayError } from "../../errors.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import { isSentByPage } from "../../http/fetch_metadata.ts";
import { clientKey } from "../../lib/client_key.ts";
import { AUDIT, loggerFor } from "../../observability/log.ts";
import { OWN_ANSWER_HEADERS } from "../../pages/problem.ts";
import { type Block, BLOCK_KINDS, type BlockList } from "./block_list.ts";

const PARAMS = z.object({
  kind: z.enum(BLOCK_KINDS),
  id: z.string().max(253).regex(/^[\w.-]+$/),
});

const PATH = "/api/v1/blocks";
const description = "For the operator, by `BLOCKS_TOKEN` as a bearer.";
const OF_ONE = {
  path: `${PATH}/{kind}/{id}`,
  description,
  request: { params: PARAMS },
  responses: {
    204: { description: "Done; at all gateways within 5 s." },
    ...API_REFUSALS,
    409: refusal("The list is full."),
  },
};

/** The descriptions of the routes. */
export const BLOCK_ROUTES: readonly RouteConfig[] = [{
  method: "get",
  path: PATH,
  operationId: "blocks_list",
  summary: "What is blocked",
  description,
  responses: {
    200: {
      description: "All of it, such as `sandboxes/0b9f…`.",
      content: json(z.object({ items: z.array(z.string()) })),
    },
    ...API_REFUSALS,
  },
}, {
  ...OF_ONE,
  method: "put",
  operationId: "blocks_put",
  summary: "Block a sandbox, a name by its host, or a whole organization",
}, {
  ...OF_ONE,
  method: "delete",
  operationId: "blocks_end",
  summary: "Unblock it",
}];

/** Adds the routes, without their descriptions. */
export function addBlockRoutes(
  app: OpenAPIHono<ControlEnv>,
  list: Pick<BlockList, "all" | "look" | "change">,
  { token, onChange, parseHost, throttle, accessEvents }:
    & Pick<FeatureParts, "parseHost" | "throttle" | "accessEvents">
    & { readonly token: string; readonly onChange: () => void },
): void {
  app.use(`${PATH}/*`, async (c, next) => {
    checkBase(c.env);
    const { env: { requestId, clientAddress }, req: { raw: { headers } } } = c;
    const given = bearerOf(headers) ?? "";
    if (!timingSafeEqual(digest(given), digest(token))) {
      const sender = { clientAddress, isSentByPage: isSentByPage(headers) };
      const budget = throttle.budgetFor(sender);
      budget.spend("store"); // a guess
      budget.settle({ isAdmitted: false });
      const code = "credential_invalid";
      const client = clientKey(clientAddress);
      accessEvents.refused({ requestId, client, code });
      throw new GatewayError(code, "Not BLOCKS_TOKEN");
    }
    await next();
  });
  app.get(PATH, async () => {
    await list.look();
    return answer(200, { items: [...list.all] });
  });
  app.on(["PUT", "DELETE"], `${PATH}/:kind/:id`, async (c) => {
    const { kind, id } = checked(c.req.param(), PARAMS);
    const { name } = splitAuthority(id);
    const parsed = parseHost(name);
    const isOurs = parsed.kind === "base" ||
      parsed.kind === "preview" && parsed.host.name === undefined;
    if (kind === "names" ? isOurs : !isUuid(id)) {
      const message = "must be a UUID, or the host of a name";
      throw invalid([{ path: "/id", message }], "It would block nothing");
    }
    const block: Block = `${kind}/${name}`;
    const isBlocked = c.req.method === "PUT";
    await list.change(block, isBlocked);
    const facts = { requestId: c.env.requestId, block };
    loggerFor(AUDIT).info(isBlocked ? "blocked" : "unblocked", facts);
    onChange();
    return new Response(null, { status: 204, headers: OWN_ANSWER_HEADERS });
  });
}

function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
