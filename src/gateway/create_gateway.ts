/** Creates the data plane: the dispatch, and the handlers behind it. */
import ipaddr from "ipaddr.js";
import type { createAuth } from "../auth/create_auth.ts";
import { PlantedCookies } from "../auth/planted_cookies.ts";
import type { Config } from "../config/config.ts";
import type { Control } from "../control/app.ts";
import type { DaytonaApi } from "../daytona/api.ts";
import type { LeakedSockets } from "../downstream/http/leaked_sockets.ts";
import type { ClientLeg } from "../downstream/http/reply.ts";
import { FloodBans } from "../downstream/websocket/rate_limit.ts";
import type { ExchangeRecord } from "../observability/access_log.ts";
import { createRequestIds, type Logger } from "../observability/log.ts";
import type { ExchangeFacts } from "../observability/metrics/facts.ts";
import type { UseReports } from "../proxy/activity.ts";
import type { Forwarder } from "../proxy/forward.ts";
import type { InFlight } from "../proxy/in_flight.ts";
import type { createResolvers } from "../resolver/create_resolvers.ts";
import { BuildResolver } from "../resolver/own/builds.ts";
import type { UpstreamClient } from "../upstream/http1/client.ts";
import { Dispatch } from "./dispatch.ts";
import type { ExchangeServices } from "./exchange_parts.ts";
import type { Feature } from "./feature.ts";
import type { TunnelLimits } from "./open_tunnel.ts";
import { SandboxHandlers } from "./preview.ts";

/** Dependencies of {@linkcode createGateway}. */
interface GatewayParts {
  readonly api: DaytonaApi;
  readonly upstream: UpstreamClient;
  readonly resolvers: ReturnType<typeof createResolvers>;
  readonly auth: ReturnType<typeof createAuth>;
  readonly forwarder: Forwarder;
  readonly activity: UseReports;
  readonly inFlight: InFlight;
  /** Where requests for our own pages are registered. */
  readonly ownRequests: InFlight;
  readonly clientLeg: ClientLeg & Pick<TunnelLimits, "memoryGuard"> & {
    readonly leakedSockets: LeakedSockets;
  };
  readonly control: Control;
  readonly features: readonly Feature[];
  /** Called with each exchange that is over. */
  readonly onRecord: (record: ExchangeRecord) => void;
  /** Called for every response that does not come from the data plane. */
  readonly onOwnAnswer: (facts: ExchangeFacts) => void;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The handler of all requests. */
export function createGateway(config: Config, parts: GatewayParts): Dispatch {
  const { limits, listen, session, public: site, daytona } = config;
  const { features, clientLeg, auth, resolvers, logger, now } = parts;
  const services: ExchangeServices = {
    corsMode: site.corsMode,
    limits,
    trustedProxies: listen.trustedProxies.map((range) =>
      ipaddr.parseCIDR(range)
    ),
    inFlight: parts.inFlight,
    activity: parts.activity,
    clientLeg,
    observer: features.find(({ observer }) => observer !== undefined)?.observer,
    ownersViewOf: features.find(({ ownersViewOf }) =>
      ownersViewOf !== undefined
    )?.ownersViewOf,
    onRecord: parts.onRecord,
    logger,
    now,
    scheme: auth.scheme,
    remoteSettings: resolvers.remoteSettings,
    cookies: auth.cookies,
    ownParameters: features.flatMap(({ ownParameter }) => ownParameter ?? []),
    sessionScope: session.scope,
    allowedOrigins: new Set(site.allowedOrigins),
  };
  const sandboxes = new SandboxHandlers({
    ...services,
    toolboxOnly: site.toolboxOnly,
    sessionTtlMs: session.ttlMs,
    tunnelLimits: {
      bufferLimitBytes: limits.tunnelBufferBytes,
      maxMessageBytes: limits.messageBytes,
      budget: clientLeg.budget,
      memoryGuard: clientLeg.memoryGuard,
      bans: new FloodBans(() => performance.now()),
    },
    gate: auth.gate,
    visits: auth.visits,
    sessions: auth.sessions,
    plantedCookies: new PlantedCookies(auth),
    login: auth.login,
    features,
    forwarder: parts.forwarder,
    states: resolvers.states,
    destinations: resolvers.sandboxes,
  });
  return new Dispatch({
    ...services,
    remoteSettings: resolvers.remoteSettings,
    sandboxes,
    servesPaths: daytona.mode === "proxy",
    features,
    buildLogs: {
      builds: new BuildResolver(parts.api),
      throttle: auth.throttle,
      upstream: parts.upstream,
      subjects: auth.subjects,
    },
    control: parts.control,
    nextRequestId: createRequestIds(),
    ownRequests: parts.ownRequests,
    onOwnAnswer: parts.onOwnAnswer,
    onUntrustedProxy: (network) =>
      logger.warn(
        "X-Forwarded-For from an address that is not in TRUSTED_PROXIES: if that is a proxy, all its visitors count as one client",
        { network },
      ),
  });
}
