/** The OpenAPI description of the paths of build logs. */
import { createRoute, z } from "@hono/zod-openapi";
import {
  ACCESS_REFUSALS,
  ANY_BODY,
  SANDBOX,
} from "../../control/routes/sandbox_paths.ts";

function buildLogsRoute(resource: "snapshots" | "sandboxes") {
  return createRoute({
    method: "get",
    path: `/${resource}/{id}/build-logs`,
    operationId: `${resource}_build_logs`,
    summary: `The build log of one of the ${resource}`,
    description: "Requires the user's own `Authorization: Bearer`.",
    request: {
      params: z.object({ id: SANDBOX }),
      query: z.object({
        follow: z.enum(["true", "false"]).optional().describe(
          "Whether to stream the log for as long as the build runs.",
        ),
      }),
    },
    responses: {
      200: { description: "The log.", content: ANY_BODY },
      ...ACCESS_REFUSALS,
    },
  });
}

export const BUILD_LOG_ROUTES = [
  buildLogsRoute("snapshots"),
  buildLogsRoute("sandboxes"),
];
