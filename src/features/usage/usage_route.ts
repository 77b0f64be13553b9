/** `/api/v1/usage` on base hosts: what a sandbox was used for, for its members. */
import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { timeField, timeOf } from "../../control/api/fields.ts";
import { checked, invalid } from "../../control/api/json_body.ts";
import { API_REFUSALS } from "../../control/api/record_descriptions.ts";
import { answer } from "../../control/api/record_routes.ts";
import {
  type ControlEnv,
  json,
  type RouteConfig,
} from "../../control/route.ts";
import { SANDBOX } from "../../control/routes/sandbox_paths.ts";
import { GatewayError } from "../../errors.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import { clientKey } from "../../lib/client_key.ts";
import { TokenBuckets } from "../../lib/token_bucket.ts";
import { HOUR_MS } from "./usage_counter.ts";
import type { UsageStore } from "./usage_store.ts";

/** Most hours of an answer, each of which is a read: those of a week. */
const MAX_HOURS = 7 * 24;

/** How often one client may ask. */
const RATE = { capacity: 10, refillPerSec: 1, maxKeys: 10_000 };

const QUERY = z.strictObject({
  sandbox: SANDBOX,
  from: timeField.optional().describe("A day before `to` by default."),
  to: timeField.optional().describe("Now by default."),
});

const ITEM = z.object({
  hour: timeField,
  requests: z.number().int(),
  receivedBytes: z.number().int(),
  sentBytes: z.number().int(),
  webSocketSec: z.number(),
});

const PATH = "/api/v1/usage";

/** The description of the route. */
export const USAGE_ROUTE: RouteConfig = {
  method: "get",
  path: PATH,
  operationId: "usage",
  summary: "What a sandbox was used for, by hour",
  description:
    `For members of the sandbox. Hours that \`from\` or \`to\` is in count as a whole; ${MAX_HOURS} at most.`,
  request: { query: QUERY },
  responses: {
    200: {
      description: "The hours in which it was used.",
      content: json(z.object({ items: z.array(ITEM) })),
    },
    ...API_REFUSALS,
  },
};

/** Adds the route, without its description. */
export function addUsageRoute(
  app: OpenAPIHono<ControlEnv>,
  store: Pick<UsageStore, "read">,
  { members, now }: Pick<FeatureParts, "members" | "now">,
): void {
  const asked = new TokenBuckets({ ...RATE, now });
  app.get(PATH, async (c) => {
    const caller = members.callerOf(c);
    const { sandbox, from, to } = checked(c.req.query(), QUERY);
    const until = to === undefined ? now() : Date.parse(to);
    const since = from === undefined ? until - 24 * HOUR_MS : Date.parse(from);
    const end = Math.ceil(until / HOUR_MS) * HOUR_MS;
    const begin = Math.floor(since / HOUR_MS) * HOUR_MS;
    if (begin > end || end - begin > MAX_HOURS * HOUR_MS) {
      const message = `must be up to ${MAX_HOURS} hours before to`;
      throw invalid([{ path: "/from", message }], "Too long, or backwards");
    }
    const { sandboxId } = await members.admit(caller, sandbox);
    const allowance = asked.take(clientKey(c.env.clientAddress));
    if (!allowance.ok) {
      const { retryAfterSec } = allowance;
      const reason = "Questions about usage";
      throw new GatewayError("client_overloaded", reason, { retryAfterSec });
    }
    const hours = await store.read(sandboxId, begin, end);
    const items = hours.map(({ hour, ...usage }) => (
      { hour: timeOf(hour), ...usage }
    ));
    return answer(200, { items });
  });
}
