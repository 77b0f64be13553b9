/** The description of the owner's view. */
import { createRoute, z } from "@hono/zod-openapi";
import { PAGE } from "../../control/route.ts";
import {
  ACCESS_REFUSALS,
  SANDBOX,
} from "../../control/routes/sandbox_paths.ts";

const STREAM = { "text/event-stream": { schema: z.string() } };

const COMMON = {
  method: "get",
  description:
    "For whoever has access to the sandbox by a login or `Authorization: Bearer`; preview tokens and links do not " +
    "count. Credentials are hidden, and nothing is stored. Unless `INSPECT` is `false`.",
  request: { params: z.object({ sandboxId: SANDBOX }) },
} as const;

export const INSPECT_ROUTES = [
  createRoute({
    ...COMMON,
    path: "/inspect/{sandboxId}",
    operationId: "inspect_page",
    summary: "The requests to a sandbox, while one watches",
    responses: {
      200: { description: "The page.", content: PAGE },
      ...ACCESS_REFUSALS,
    },
  }),
  createRoute({
    ...COMMON,
    path: "/inspect/{sandboxId}/events",
    operationId: "inspect_events",
    summary: "The same as server-sent events",
    responses: {
      200: { description: "The stream.", content: STREAM },
      ...ACCESS_REFUSALS,
    },
  }),
];
