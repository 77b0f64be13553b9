/** Build logs, on base hosts: the user's own bearer decides which ones, and is sent to the API only. */
import { isUuid } from "../address/grammar.ts";
import { bearerOf } from "../auth/credentials.ts";
import type { Throttle } from "../auth/throttle.ts";
import type { User } from "../daytona/api.ts";
import { GatewayError } from "../errors.ts";
import { fetchBuildLog } from "../proxy/build_log.ts";
import { inertResponseFields } from "../proxy/toolbox_response.ts";
import type { BuildLog, BuildResolver } from "../resolver/builds.ts";
import type { UpstreamClient } from "../upstream/http1/client.ts";
import type { BuildLogExchange } from "./exchange.ts";
import type { ExchangeTracker } from "./exchange_tracker.ts";
import { isPreflight, preflightAnswer } from "./preflight.ts";
import type { TrackExchange } from "./track_exchange.ts";

/** Dependencies of the route. */
export interface BuildLogsOptions {
  readonly allowedOrigins: ReadonlySet<string>;
  readonly builds: BuildResolver;
  readonly throttle: Throttle;
  readonly upstream: Pick<UpstreamClient, "request">;
  readonly trackExchange: TrackExchange;
  readonly now: () => number;
}

/** Answers requests for build logs; never rejects. */
export type BuildLogs = (exchange: BuildLogExchange) => Promise<Response>;

/** Creates the route. */
export function createBuildLogs(options: BuildLogsOptions): BuildLogs {
  const { throttle } = options;

  /** @throws {GatewayError} `build_log_not_found`, `too_many_refusals` or `api_unreachable` */
  async function findLog(
    { build }: BuildLogExchange,
    user: User,
  ): Promise<BuildLog> {
    const budget = throttle.budgetFor(user.clientAddress);
    let log: BuildLog | null;
    try {
      budget.spend();
      log = await options.builds.logOf(build, user);
    } catch (error) {
      budget.settle({ error });
      throw error;
    }
    budget.settle({ isAdmitted: log !== null });
    if (log !== null) return log;
    throw new GatewayError("build_log_not_found", "Refused by the API");
  }

  async function answer(
    exchange: BuildLogExchange,
    user: User,
    tracker: ExchangeTracker,
  ): Promise<Response> {
    tracker.stats.missedCache = true;
    const log = await findLog(exchange, user);
    tracker.stats.resolvedAt = options.now();
    tracker.grant(
      {
        sandboxId: exchange.build.id,
        by: "bearer",
        // Not the sandbox's limit: a snapshot or sandbox may also be given by its name, which may be another's id.
        countsAgainst: `build_logs:${user.clientAddress}`,
      },
      {
        recheck: async () =>
          await options.builds.logOf(exchange.build, user) !== null,
      },
    );
    const { status, headers, body } = await fetchBuildLog(
      {
        accept: exchange.headers.get("accept"),
        query: exchange.query,
        forwardedFor: exchange.from.forwarded.for,
        requestId: exchange.id,
        signal: () => exchange.request.signal,
      },
      log,
      options.upstream,
    );
    return tracker.relay({
      status,
      fields: inertResponseFields(headers),
      body,
    });
  }

  return function buildLogs(exchange) {
    const { headers, from } = exchange;
    const kind = {
      route: exchange.route,
      port: undefined,
      isTrustedOrigin: (origin: string) => options.allowedOrigins.has(origin),
    };
    return options.trackExchange(exchange, kind, async (tracker) => {
      if (isPreflight(exchange, tracker.cors)) {
        return tracker.answer(preflightAnswer(exchange, tracker.cors));
      }
      if (exchange.method !== "GET") {
        throw new GatewayError("route_not_found", "Logs are only read");
      }
      const bearer = bearerOf(headers);
      if (bearer === undefined) {
        throw new GatewayError("login_required", "No bearer");
      }
      const organization = headers.get("x-daytona-organization-id") ?? "";
      return await answer(exchange, {
        bearer,
        clientAddress: from.clientAddress,
        organizationId: isUuid(organization) ? organization : undefined,
      }, tracker);
    });
  };
}
