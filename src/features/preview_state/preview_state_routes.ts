/** The description of a preview's state. */
import { createRoute, z } from "@hono/zod-openapi";
import { isPort } from "../../address/grammar.ts";
import { API_REFUSALS } from "../../control/api/record_descriptions.ts";
import { json } from "../../control/route.ts";
import { SANDBOX } from "../../control/routes/sandbox_paths.ts";

/** The longest wait, seconds. */
export const MAX_WAIT_SEC = 60;

const PATH = {
  sandbox: SANDBOX,
  port: z.string().regex(/^[1-9][0-9]{0,4}$/)
    .refine((digits) => isPort(Number(digits))),
};

const QUERY = {
  wait: z.string().regex(/^[0-9]{1,9}$/).optional().describe(
    `Seconds to wait until it is ready, ${MAX_WAIT_SEC} at most.`,
  ),
};

/** What a request says, in path and query. */
export const STATE_REQUEST = z.strictObject({ ...PATH, ...QUERY });

const STATE = z.object({
  sandboxId: z.string(),
  port: z.number().int(),
  state: z.string().nullable().describe(
    "The sandbox's, in Daytona's words; null if it is not known.",
  ),
  code: z.string().nullable().describe(
    "The error that a visitor would get; null if it is ready.",
  ),
  ready: z.boolean(),
  url: z.string().describe("Where the preview is."),
  retryAfterSec: z.number().int().optional(),
});

/** What is told. */
export type PreviewState = z.infer<typeof STATE>;

/** The state of a preview, and a wait for it. */
export const PREVIEW_STATE_ROUTES = [
  createRoute({
    method: "get",
    path: "/api/v1/previews/{sandbox}/{port}",
    operationId: "preview_state",
    summary: "Whether a preview is ready, or why not",
    description:
      "For members of the sandbox, and whoever has a grant for the port. It is no use of the sandbox, and starts nothing.",
    request: { params: z.object(PATH), query: z.object(QUERY) },
    responses: {
      200: {
        description: "Its state, whatever that is.",
        content: json(STATE),
      },
      ...API_REFUSALS,
    },
  }),
];
