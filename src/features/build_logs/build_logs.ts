/**
 * Handles requests for build logs, on other hosts than previews': the user's own bearer decides which ones, and is sent
 * to the API only. The numbers are those of docs/architecture.md.
 */
import { isUuid } from "../../address/grammar.ts";
import { bearerOf } from "../../auth/credentials.ts";
import type { GrantAccess } from "../../auth/grant_access.ts";
import type { Throttle } from "../../auth/throttle.ts";
import type { User } from "../../daytona/api.ts";
import { GatewayError } from "../../errors.ts";
import type { Exchange } from "../../gateway/exchange.ts";
import type { ExchangeServices } from "../../gateway/exchange_services.ts";
import { preflightResponse } from "../../gateway/own_response.ts";
import type { ReceivedRequest } from "../../gateway/received_request.ts";
import type { Route } from "../../gateway/route.ts";
import { isSentByPage } from "../../http/fetch_metadata.ts";
import { clientKey } from "../../lib/client_key.ts";
import type { Subjects } from "../../observability/subjects.ts";
import { corsDecision } from "../../proxy/cors.ts";
import { inertResponseHeaders } from "../../proxy/toolbox_response.ts";
import type { UpstreamClient } from "../../upstream/http1/client.ts";
import { fetchBuildLog } from "./build_log.ts";
import type { BuildLogPath } from "./build_log_path.ts";
import type { BuildLog, BuildResolver } from "./builds.ts";

/** The route to the log of a build. */
export function buildLogRoute(
  { authority, target, headers }: ReceivedRequest,
  { corsMode: mode, allowedOrigins }: Pick<
    ExchangeServices,
    "corsMode" | "allowedOrigins"
  >,
): Route {
  const isTrusted = (origin: string) => allowedOrigins.has(origin);
  return {
    kind: "build_logs",
    shownTarget: target,
    baseAuthority: authority.toLowerCase(),
    cors: corsDecision({ mode, headers, isTrusted }),
    hasApp: true,
    isUse: false,
    servesSandbox: false,
    responseHeaders: (response) => inertResponseHeaders(response.headers),
  };
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
  x: Exchange,
  build: BuildLogPath,
  parts: BuildLogParts,
): Promise<Response> {
  const { received, reply } = x;
  await x.checkLimits(); // 1 dispatch
  if (x.preflight !== undefined) {
    return x.answer(preflightResponse(x.preflight, x));
  }
  if (received.method !== "GET") {
    throw new GatewayError("route_not_found", "Logs are only read");
  }
  const user = userOf(received, parts);
  x.progress.onMiss();
  const log = await findLog(build, user, received, parts); // 3 gate, 4 resolver
  x.progress.onResolved();
  const subject = parts.subjects.ofBearer(user.bearer);
  x.grant(
    {
      sandboxId: build.id,
      by: "bearer",
      ...subject !== undefined && { subject },
      // Not the sandbox's limit: a snapshot or sandbox may also be given by its name, which may be another's id.
      countsAgainst: `build_logs:${clientKey(user.clientAddress)}`,
    },
    async () => await parts.builds.logOf(build, user) !== null,
  );
  return x.relay(
    await fetchBuildLog( // 5 headers, 6 upstream
      {
        accept: received.headers.get("accept"),
        query: build.query,
        forwardedFor: received.client.forwarded.for,
        requestId: received.id,
        signal: () => received.request.signal,
        mayRead: (size) => reply.mayRead(size),
      },
      log,
      parts.upstream,
    ),
  );
}

/** @throws {GatewayError} `login_required` */
function userOf(
  { headers, client: { clientAddress } }: ReceivedRequest,
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
  build: BuildLogPath,
  user: User,
  { headers }: ReceivedRequest,
  { builds, throttle }: BuildLogParts,
): Promise<BuildLog> {
  const { clientAddress } = user;
  const client = { clientAddress, isSentByPage: isSentByPage(headers) };
  const budget = throttle.budgetFor(client);
  async function ask(): Promise<BuildLog | null> {
    budget.spend();
    return await builds.logOf(build, user);
  }
  const log = await budget.settledBy(ask(), (found) => found !== null);
  if (log !== null) return log;
  throw new GatewayError("build_log_not_found", "Refused by the API");
}
