/** The description of what the data plane serves by path on base hosts: answered before the control plane, documented with it. */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { ControlEnv } from "../control_env.ts";

const PROBLEM = { "application/problem+json": { schema: z.unknown() } };

const ANY = { "*/*": { schema: z.unknown() } };

const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

const REFUSALS = {
  401: {
    description: "No credential, or none that opens it.",
    content: PROBLEM,
  },
  404: {
    description: "Nothing there, or not for this caller.",
    content: PROBLEM,
  },
  429: { description: "Too many refusals.", content: PROBLEM },
  503: { description: "The API cannot be asked.", content: PROBLEM },
} as const;

/** One operation for each method that the SDKs use; any other method passes as well. */
function toolboxRoute(method: "get" | "post" | "put" | "patch" | "delete") {
  return createRoute({
    method,
    path: "/toolbox/{sandboxId}/{path}",
    operationId: `toolbox_${method}`,
    summary: "The toolbox of a sandbox",
    description:
      "Forwarded to Daytona's daemon in the sandbox, WebSockets too. Opened by `X-Daytona-Preview-Token`, " +
      "`DAYTONA_SANDBOX_AUTH_KEY` or `Authorization: Bearer`; never by a cookie.",
    request: {
      params: z.object({ sandboxId: id, path: z.string() }),
    },
    responses: {
      200: { description: "The daemon's answer.", content: ANY },
      502: { description: "The daemon does not answer.", content: PROBLEM },
      ...REFUSALS,
    },
  });
}

function buildLogsRoute(resource: "snapshots" | "sandboxes") {
  return createRoute({
    method: "get",
    path: `/${resource}/{id}/build-logs`,
    operationId: `${resource}_build_logs`,
    summary: `The build log of one of the ${resource}`,
    description: "Opened by the user's own `Authorization: Bearer`.",
    request: {
      params: z.object({ id }),
      query: z.object({
        follow: z.enum(["true", "false"]).optional().openapi({
          description: "Whether the log goes on while the build does.",
        }),
      }),
    },
    responses: {
      200: { description: "The log.", content: ANY },
      ...REFUSALS,
    },
  });
}

/** Adds the descriptions; nothing is routed. */
export function describeDataPlane(app: OpenAPIHono<ControlEnv>): void {
  const { openAPIRegistry: registry } = app;
  for (const method of ["get", "post", "put", "patch", "delete"] as const) {
    registry.registerPath(toolboxRoute(method));
  }
  registry.registerPath(buildLogsRoute("snapshots"));
  registry.registerPath(buildLogsRoute("sandboxes"));
}
