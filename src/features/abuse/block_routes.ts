/** `/api/v1/blocks` on base hosts: the operator, who has `BLOCKS_TOKEN`, blocks what is abused. */
import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { createHash, timingSafeEqual } from "node:crypto";
import { isUuid } from "../../address/grammar.ts";
import { splitAuthority } from "../../address/preview_host.ts";
import { bearerOf } from "../../auth/credentials.ts";
import { checked, invalid, jsonBody } from "../../control/api/json_body.ts";
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
import { unreadable } from "../../records/record_values.ts";
import {
  type Block,
  BLOCK_KINDS,
  BLOCK_SOURCES,
  type BlockList,
  KEY,
  MAX_BYTES,
} from "./block_list.ts";

const PARAMS = z.object({
  kind: z.enum(BLOCK_KINDS),
  id: z.string().max(253).regex(/^[\w.-]+$/),
});

/** The whole list, as it is told, too. */
const LIST = z.strictObject({ items: z.array(z.string()) });

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
      description:
        "All of it, such as `sandboxes/0b9f…`; `source` is not `list` while the stored list is gone or cannot be read.",
      content: json(LIST.extend({ source: z.enum(BLOCK_SOURCES) })),
    },
    ...API_REFUSALS,
  },
}, {
  method: "put",
  path: PATH,
  operationId: "blocks_replace",
  summary: "Block these and nothing else",
  description,
  request: { body: { content: json(LIST), required: true } },
  responses: OF_ONE.responses,
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
  list: Pick<BlockList, "all" | "source" | "look" | "change" | "replace">,
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
  /** A block, by the words that name it; throws `invalid_request` if it would block nothing. */
  function blockOf(params: unknown, path: string): Block {
    const { kind, id } = checked(params, PARAMS);
    const { name } = splitAuthority(id);
    const parsed = parseHost(name);
    const isOurs = parsed.kind === "base" ||
      parsed.kind === "preview" && parsed.host.name === undefined;
    if (kind === "names" ? isOurs : !isUuid(id)) {
      const message = "must be a UUID, or the host of a name";
      throw invalid([{ path, message }], "It would block nothing");
    }
    return `${kind}/${name}`;
  }
  function done(what: string, facts: Record<string, unknown>): Response {
    loggerFor(AUDIT).info(what, facts);
    onChange();
    return new Response(null, { status: 204, headers: OWN_ANSWER_HEADERS });
  }
  app.get(PATH, async () => {
    await list.look();
    const { source } = list;
    if (source === undefined) throw unreadable(KEY);
    return answer(200, { items: [...list.all], source });
  });
  app.put(PATH, async (c) => {
    const { items } = await jsonBody(c, LIST, MAX_BYTES);
    const blocks = items.map((each, at) => {
      const [kind, ...id] = each.split("/");
      return blockOf({ kind, id: id.join("/") }, `/items/${at}`);
    });
    await list.replace(blocks);
    const { requestId } = c.env;
    return done("blocks replaced", { requestId, blocks });
  });
  app.on(["PUT", "DELETE"], `${PATH}/:kind/:id`, async (c) => {
    const block = blockOf(c.req.param(), "/id");
    const isBlocked = c.req.method === "PUT";
    await list.change(block, isBlocked);
    const { requestId } = c.env;
    return done(isBlocked ? "blocked" : "unblocked", { requestId, block });
  });
}

function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
