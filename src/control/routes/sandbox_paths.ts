/** The OpenAPI description of what the data plane serves by path: it is documented with the control plane's routes. */
import { createRoute, z } from "@hono/zod-openapi";
import { SANDBOX_REF } from "../../address/grammar.ts";
import { refusal } from "../route.ts";

/** A body of any media type. */
export const ANY_BODY = { "*/*": { schema: z.unknown() } };

/** A sandbox by its id or name. */
export const SANDBOX = z.string().regex(new RegExp(`^${SANDBOX_REF}$`));

/** How access to a sandbox is refused. */
export const ACCESS_REFUSALS = {
  401: refusal("There is no credential, or none that grants access."),
  404: refusal("There is no such resource, or the caller has no access."),
  429: refusal("Too many refusals."),
  503: refusal("The API cannot be reached."),
} as const;

/** One operation per method that the SDKs use; others are forwarded as well. */
function toolboxRoute(method: "get" | "post" | "put" | "patch" | "delete") {
  return createRoute({
    method,
    path: "/toolbox/{sandboxId}/{path}",
    operationId: `toolbox_${method}`,
    summary: "The toolbox of a sandbox",
    description:
      "Forwarded to Daytona's daemon in the sandbox, WebSockets too. Requires `X-Daytona-Preview-Token`, " +
      "`DAYTONA_SANDBOX_AUTH_KEY` or `Authorization: Bearer`; a cookie does not count. The signed URL of a file needs none.",
    request: { params: z.object({ sandboxId: SANDBOX, path: z.string() }) },
    responses: {
      200: { description: "The daemon's response.", content: ANY_BODY },
      502: refusal("The daemon does not respond."),
      ...ACCESS_REFUSALS,
    },
  });
}

/** The paths that the data plane serves; the control plane only describes them. */
export const DATA_PLANE_ROUTES =
  (["get", "post", "put", "patch", "delete"] as const).map(toolboxRoute);
