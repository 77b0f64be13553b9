/** `POST /api/v1/previews/{sandbox}/{port}/start`: a start for a program, or for a page of the base host. */
import { createRoute, z } from "@hono/zod-openapi";
import { checked } from "../../control/api/json_body.ts";
import { API_REFUSALS } from "../../control/api/record_descriptions.ts";
import type { ControlRoutes } from "../../control/app.ts";
import { json } from "../../control/route.ts";
import { SANDBOX } from "../../control/routes/sandbox_paths.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import type { StartButton } from "./start_button.ts";

const PARAMS = z.object({ sandbox: SANDBOX, port: z.string() });
const OUTCOME = json(z.object({ outcome: z.string() }));

export const START_ROUTE = createRoute({
  method: "post",
  path: "/api/v1/previews/{sandbox}/{port}/start",
  operationId: "preview_start",
  summary: "Start the sandbox of a preview",
  description:
    "For members of the sandbox, who start it as `WAKE` allows, and wait by the preview's state.",
  request: { params: PARAMS },
  responses: {
    202: { description: "Its `outcome`.", content: OUTCOME },
    ...API_REFUSALS,
  },
});

export function startRoutes(
  button: StartButton,
  { members }: Pick<FeatureParts, "members">,
): ControlRoutes {
  return (app) =>
    app.post("/api/v1/previews/:sandbox/:port/start", async (c) => {
      const { requestId: id, clientAddress } = c.env;
      const caller = members.callerOf(c);
      const { sandbox: label } = checked(c.req.param(), PARAMS);
      const admission = await members.admit(caller, label);
      const { sandboxId } = admission;
      const start = { id, label, sandboxId, clientAddress };
      return await button.call(start, admission);
    });
}
