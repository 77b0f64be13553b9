/** The control plane: the gateway's own routes, on every host that is no preview host. */
import { OpenAPIHono, type z } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import { ownCookies } from "../auth/own_cookies.ts";
import { GatewayError } from "../errors.ts";
import { wantsDocument } from "../lib/fetch_metadata.ts";
import { logFailure, type Logger, loggerFor } from "../observability/log.ts";
import { problem } from "../pages/problem.ts";
import type { ControlContext, ControlEnv } from "./control_env.ts";
import {
  addDocsRoutes,
  describe,
  type OpenApiDocument,
} from "./routes/docs.ts";
import { addHealthRoutes, type Readiness } from "./routes/health.ts";
import { addLoginRoutes, type LoginRoutesOptions } from "./routes/login.ts";
import { addLogoutRoutes, type LogoutRoutesOptions } from "./routes/logout.ts";
import { describeDataPlane } from "./routes/sandbox_paths.ts";

/** Parts of the control plane. */
export interface ControlOptions {
  readonly version: string;
  readonly readiness: () => Promise<Readiness>;
  readonly login: LoginRoutesOptions;
  readonly logout: LogoutRoutesOptions;
  readonly logger: Logger;
}

/** Answers requests for the gateway's own routes. */
export type Control = (
  request: Request,
  context: ControlContext,
) => Response | Promise<Response>;

function createApp(options: ControlOptions): OpenAPIHono<ControlEnv> {
  const app = new OpenAPIHono<ControlEnv>({
    defaultHook(result) {
      if (!result.success) {
        throw new GatewayError("bad_request", describeIssues(result.error));
      }
    },
  });

  function refuse(request: Request, error: GatewayError, requestId: string) {
    const { code, retryAfterSec, retryUrl } = error;
    const asPage = wantsDocument(request.headers);
    return problem({ code, requestId, asPage, retryAfterSec, retryUrl });
  }

  app.notFound((c) => {
    const error = new GatewayError("route_not_found", "No such route");
    return refuse(c.req.raw, error, c.env.requestId);
  });
  app.onError((error, c) => {
    const { requestId } = c.env;
    const failure = asGatewayError(error);
    logFailure(options.logger, failure, { requestId });
    const response = refuse(c.req.raw, failure, requestId);
    return c.newResponse(response.body, response); // with the fields that its route has set
  });
  addHealthRoutes(app, options);
  describeDataPlane(app);
  addDocsRoutes(app, options.version);
  addLoginRoutes(app, options.login);
  addLogoutRoutes(app, options.logout);
  return app;
}

/** What is wrong with a request's parameters, on one line for a log; it repeats none of their values. */
function describeIssues({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => `${path.join(".")}: ${message}`)
    .join("; ");
}

/** Hono's own complaints about a request, such as a form that cannot be read, are the client's fault. */
function asGatewayError(error: Error): GatewayError {
  if (error instanceof GatewayError) return error;
  const isBadRequest = error instanceof HTTPException && error.status < 500;
  return new GatewayError(
    isBadRequest ? "bad_request" : "internal",
    error.message,
    { cause: error },
  );
}

/** Creates the control plane. */
export function createControl(options: ControlOptions): Control {
  const app = createApp(options);
  return (request, context) => app.fetch(request, context);
}

/** The OpenAPI description of those routes, as `openapi/porthole.json` holds it. */
export function controlDescription(version: string): OpenApiDocument {
  const scheme = "https";
  const cookies = ownCookies({ scheme, sameSite: "lax" });
  const app = createApp({
    version,
    readiness: () => Promise.resolve({ status: "ready", checks: {} }),
    login: {
      scheme,
      cookies,
      baseDomains: () => [],
      login: () => ({ kind: "off" }),
      sessions: { open: () => Promise.resolve(undefined) },
      logins: { grantsAccess: () => Promise.resolve(false) },
      now: Date.now,
    },
    logout: {
      scheme,
      cookies,
      sessions: { open: () => Promise.resolve(undefined) },
      logins: { end: () => Promise.resolve() },
    },
    logger: loggerFor("control"),
  });
  return describe(app, version);
}
