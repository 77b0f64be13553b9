/**
 * Handles requests for build logs, on base hosts: the user's own bearer decides which ones, and is sent to the API
 * only. The numbers are those of docs/architecture.md.
 */
import type { BaseRoute } from "../address/base_route.ts";
import { isUuid } from "../address/grammar.ts";
import { bearerOf } from "../auth/credentials.ts";
import type { GrantAccess } from "../auth/grant_access.ts";
import type { Throttle } from "../auth/throttle.ts";
import type { User } from "../daytona/api.ts";
import { GatewayError } from "../errors.ts";
import { clientKey } from "../lib/client_key.ts";
import type { Subjects } from "../observability/subjects.ts";
import { inertResponseHeaders } from "../proxy/toolbox_response.ts";
import { fetchBuildLog } from "../resolver/build_log.ts";
import type { BuildLog, BuildResolver } from "../resolver/own/builds.ts";
import type { UpstreamClient } from "../upstream/http1/client.ts";
import type { UpstreamResponse } from "../upstream/http1/message.ts";
import { Exchange } from "./exchange.ts";
import { preflightResponse } from "./own_response.ts";
import type { ExchangeServices, IncomingRequest } from "./received_request.ts";

type BuildLogRoute = Extract<BaseRoute, { kind: "build_logs" }>;

/** A request for the log of a build. */
export class BuildLogExchange extends Exchange {
  readonly route = "build_logs";
  readonly port = undefined;
  readonly build: BuildLogRoute;

  constructor(
    incoming: IncomingRequest,
    build: BuildLogRoute,
    services: ExchangeServices,
  ) {
    super(incoming, services);
    this.build = build;
  }

  protected override get isUse(): boolean {
    return false;
  }

  protected isTrustedOrigin(origin: string): boolean {
    return this.services.allowedOrigins.has(origin);
  }

  protected responseHeaders({ headers }: UpstreamResponse): [string, string][] {
    return inertResponseHeaders(headers);
  }
}

export interface BuildLogParts {
  readonly builds: Pick<BuildResolver, "logOf">;
  readonly throttle: Throttle;
  readonly grants: Pick<GrantAccess, "recognizes">;
  readonly upstream: Pick<UpstreamClient, "request">;
  /** What the log calls users. */
  readonly subjects: Pick<Subjects, "ofBearer">;
}

/** Answers a request for a build log. */
export async function handleBuildLog(
  x: BuildLogExchange,
  parts: BuildLogParts,
): Promise<Response> {
  x.checkLimits(); // 1 dispatch
  if (x.preflight !== undefined) {
    return x.answer(preflightResponse(x.preflight, x));
  }
  if (x.method !== "GET") {
    throw new GatewayError("route_not_found", "Logs are only read");
  }
  const user = userOf(x, parts);
  x.progress.onMiss();
  const log = await findLog(x, user, parts); // 3 gate, 4 resolver
  x.progress.onResolved();
  const subject = parts.subjects.ofBearer(user.bearer);
  x.grant(
    {
      sandboxId: x.build.id,
      by: "bearer",
      ...subject !== undefined && { subject },
      // Not the sandbox's limit: a snapshot or sandbox may also be given by its name, which may be another's id.
      countsAgainst: `build_logs:${clientKey(x.clientAddress)}`,
    },
    async () => await parts.builds.logOf(x.build, user) !== null,
  );
  return x.relay(
    await fetchBuildLog( // 5 headers, 6 upstream
      {
        accept: x.headers.get("accept"),
        query: x.build.query,
        forwardedFor: x.client.forwarded.for,
        requestId: x.id,
        signal: () => x.request.signal,
        mayRead: (size) => x.reply.mayRead(size),
      },
      log,
      parts.upstream,
    ),
  );
}

/** @throws {GatewayError} `login_required` */
function userOf(
  { headers, clientAddress }: BuildLogExchange,
  { grants }: BuildLogParts,
): User {
  const bearer = bearerOf(headers);
  if (bearer === undefined || grants.recognizes(bearer)) {
    throw new GatewayError("login_required", "No bearer");
  }
  const organization = headers.get("x-daytona-organization-id") ?? "";
  return {
    bearer,
    clientAddress,
    organizationId: isUuid(organization) ? organization : undefined,
  };
}

/** @throws {GatewayError} `build_log_not_found`, `too_many_refusals`, `too_many_lookups`, or as the API's client does */
async function findLog(
  x: BuildLogExchange,
  user: User,
  { builds, throttle }: BuildLogParts,
): Promise<BuildLog> {
  const budget = throttle.budgetFor(x);
  async function ask(): Promise<BuildLog | null> {
    budget.spend();
    return await builds.logOf(x.build, user);
  }
  const log = await budget.settledBy(ask(), (found) => found !== null);
  if (log !== null) return log;
  throw new GatewayError("build_log_not_found", "Refused by the API");
}
