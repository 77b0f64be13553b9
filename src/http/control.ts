/** The control plane: the gateway's own routes, on every host that is no preview host. */
import { OpenAPIHono } from "@hono/zod-openapi";
import type { ErrorCode } from "../errors.ts";
import { isNavigation } from "../lib/fetch_metadata.ts";
import { type Logger, loggerFor } from "../observability/log.ts";
import type { ControlEnv } from "./control_env.ts";
import { problem } from "./problem.ts";
import {
  addDocsRoutes,
  describe,
  type OpenApiDocument,
} from "./routes/docs.ts";
import { addHealthRoutes, type Readiness } from "./routes/health.ts";

/** Parts of the control plane. */
export interface ControlOptions {
  readonly version: string;
  readonly readiness: () => Promise<Readiness>;
  readonly logger: Logger;
}

function createApp(options: ControlOptions): OpenAPIHono<ControlEnv> {
  const app = new OpenAPIHono<ControlEnv>();

  function refuse(request: Request, code: ErrorCode, requestId: string) {
    const asPage = isNavigation(request.method, request.headers);
    return problem({ code, requestId, asPage });
  }

  app.notFound((c) => refuse(c.req.raw, "route_not_found", c.env.requestId));
  app.onError((error, c) => {
    const { requestId } = c.env;
    options.logger.error("internal: {reason}", {
      requestId,
      reason: error.message,
      cause: error,
    });
    return refuse(c.req.raw, "internal", requestId);
  });
  addHealthRoutes(app, options);
  addDocsRoutes(app, options.version);
  return app;
}

/** Creates the handler of the gateway's own routes. */
export function createControl(
  options: ControlOptions,
): (request: Request, requestId: string) => Response | Promise<Response> {
  const app = createApp(options);
  return (request, requestId) => app.fetch(request, { requestId });
}

/** The OpenAPI description of those routes, as `openapi/porthole.json` holds it. */
export function controlDescription(version: string): OpenApiDocument {
  const readiness = () =>
    Promise.resolve<Readiness>({ status: "ready", checks: {} });
  const logger = loggerFor("control");
  return describe(createApp({ version, readiness, logger }), version);
}
