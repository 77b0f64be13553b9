/** The control plane: the gateway's own routes, on every host that is no preview host. */
import { OpenAPIHono, type RouteConfig, type z } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import type { HostParser } from "../address/preview_host.ts";
import { GatewayError, toGatewayError } from "../errors.ts";
import { wantsDocument } from "../http/fetch_metadata.ts";
import { logFailure, type Logger } from "../observability/log.ts";
import { type CurrentBrand, givenText } from "../pages/brand.ts";
import { problem, type ProblemOptions } from "../pages/problem.ts";
import type { RemoteSettings } from "../resolver/remote_settings.ts";
import {
  type BrowserSessions,
  sandboxLogins,
  type SandboxLoginsOptions,
} from "./browser_sessions.ts";
import { type ControlContext, type ControlEnv, ownOrigin } from "./route.ts";
import {
  addDocsRoutes,
  describe,
  DOCS_ROUTES,
  type OpenApiDocument,
} from "./routes/docs.ts";
import {
  addHealthRoutes,
  HEALTH_ROUTES,
  type HealthRoutesOptions,
} from "./routes/health.ts";
import {
  addLoginRoutes,
  LOGIN_ROUTES,
  type LoginRoutesOptions,
} from "./routes/login.ts";
import {
  addLogoutRoutes,
  LOGOUT_ROUTES,
  type LogoutRoutesOptions,
} from "./routes/logout.ts";
import { DATA_PLANE_ROUTES } from "./routes/sandbox_paths.ts";

type ControlOptions =
  & HealthRoutesOptions
  & Omit<LoginRoutesOptions, "browserSessions" | "anyLogins">
  & Omit<LogoutRoutesOptions, "hasHomePage">
  & SandboxLoginsOptions
  & {
    readonly remoteSettings: Pick<RemoteSettings, "dashboardUrl">;
    readonly logger: Logger;
    /** Routes of all features, whether these are switched on or not. */
    readonly featureDescriptions: readonly RouteConfig[];
    /** What those add that are. */
    readonly added: AddedControl;
  };

/** What features add to the control plane. */
interface AddedControl {
  readonly routes: readonly ControlRoutes[];
  /** True if there is a page at `/` of base hosts. */
  readonly hasHomePage?: boolean;
  /** How the sessions of logins are kept, in place of one for each sandbox. */
  readonly browserSessions?: BrowserSessions | undefined;
  /** How those are kept that are for a feature's own pages, which ask who somebody is, whatever they may open. */
  readonly anyLogins?: BrowserSessions | undefined;
  /** What all our pages are dressed in. */
  readonly brand?: CurrentBrand | undefined;
}

/** Adds routes to the control plane. */
export type ControlRoutes = (app: OpenAPIHono<ControlEnv>) => void;

/** Answers requests for the gateway's own routes. */
export type Control = (
  request: Request,
  context: ControlContext,
) => Response | Promise<Response>;

/**
 * Creates the control plane.
 * @throws {Error} if logins are to be for hosts, and no feature keeps such logins: the gate would take no other
 */
export function createControl(options: ControlOptions): Control {
  const { routes, brand, anyLogins, hasHomePage = false } = options.added;
  const { browserSessions: own } = options.added;
  if (own === undefined && options.sessionScope === "host") {
    throw new Error(
      "Cannot start with SESSION_SCOPE=host: no feature keeps logins for hosts",
    );
  }
  const browserSessions = own ?? sandboxLogins(options);
  const app = new OpenAPIHono<ControlEnv>({
    defaultHook(result) {
      if (!result.success) {
        throw new GatewayError("bad_request", describeIssues(result.error));
      }
    },
  });

  function refuse(
    request: Request,
    { code: found, retryAfterSec, advice }: GatewayError,
    context: ControlContext,
  ) {
    const { requestId, namesHost } = context;
    const { scheme, remoteSettings } = options;
    // Without a host, there is nothing that could not be found (RFC 9112 section 3.2).
    const code = found === "route_not_found" && !namesHost ? "bad_host" : found;
    return problem({
      code,
      given: givenText(brand, code, request.headers),
      ...previewOf(advice.retryUrl, options.parseHost),
      requestId,
      asPage: wantsDocument(request.headers),
      mayRetry: request.method === "GET",
      retryAfterSec,
      advice,
      homeUrl: hasHomePage && context.base !== undefined ? "/" : undefined,
      docsUrl: namesHost ? `${ownOrigin(context, scheme)}/docs` : undefined,
      dashboardUrl: remoteSettings.dashboardUrl,
    });
  }

  app.notFound((c) => {
    const error = new GatewayError("route_not_found", "No such route");
    return refuse(c.req.raw, error, c.env);
  });
  app.onError((error, c) => {
    // Hono complains by itself about a request, of an unreadable form for example.
    const failure = error instanceof HTTPException && error.status < 500
      ? new GatewayError("bad_request", error.message, { cause: error })
      : toGatewayError(error);
    logFailure(options.logger, failure, { requestId: c.env.requestId });
    const response = refuse(c.req.raw, failure, c.env);
    return c.newResponse(response.body, response); // with the headers that its route has set
  });
  addHealthRoutes(app, options);
  describeRoutes(app, DATA_PLANE_ROUTES);
  describeRoutes(app, options.featureDescriptions);
  addDocsRoutes(app, options.version, brand);
  addLoginRoutes(app, { ...options, browserSessions, anyLogins });
  addLogoutRoutes(app, { ...options, hasHomePage });
  for (const add of routes) add(app);
  addSwitchedOff(app, options.featureDescriptions);
  return (request, context) => app.fetch(request, context);
}

/** The preview that a login was for, which its visitor has named. */
function previewOf(
  retryUrl: string | undefined,
  parseHost: HostParser,
): Pick<ProblemOptions, "port" | "sandbox" | "name"> {
  const parsed = parseHost(URL.parse(retryUrl ?? "")?.host ?? "");
  if (parsed.kind !== "preview") return {};
  const { port, label: sandbox, name } = parsed.host;
  return name === undefined ? { port, sandbox } : { port, name };
}

/** Describes the problems with a request's parameters on one line, for a log; repeats none of their values. */
function describeIssues({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => `${path.join(".")}: ${message}`)
    .join("; ");
}

/** Routes of the API that are described, and whose feature is switched off: those that are on have added theirs. */
function addSwitchedOff(
  app: OpenAPIHono<ControlEnv>,
  described: readonly RouteConfig[],
): void {
  for (const { method, path } of described) {
    if (!path.startsWith("/api/v1/")) continue;
    app.on(method, path.replaceAll(/\{(\w+)\}/g, ":$1"), (c) => {
      const code = c.env.base === undefined ? "route_not_found" : "feature_off";
      throw new GatewayError(code, "No feature has this route");
    });
  }
}

/** The OpenAPI description of those routes, as `openapi/porthole.json` holds it. */
export function controlDescription(
  version: string,
  featureRoutes: readonly RouteConfig[],
): OpenApiDocument {
  const app = new OpenAPIHono<ControlEnv>();
  describeRoutes(app, [
    ...HEALTH_ROUTES,
    ...DATA_PLANE_ROUTES,
    ...DOCS_ROUTES,
    ...LOGIN_ROUTES,
    ...LOGOUT_ROUTES,
    ...featureRoutes,
  ]);
  return describe(app, version);
}

function describeRoutes(
  { openAPIRegistry }: OpenAPIHono<ControlEnv>,
  routes: readonly RouteConfig[],
): void {
  for (const route of routes) openAPIRegistry.registerPath(route);
}
