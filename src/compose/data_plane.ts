/** Builds what carries requests to runners. */
import ipaddr from "ipaddr.js";
import type { Config } from "../config.ts";
import { createActivityClaims } from "../directory/activity_claims.ts";
import { createBuildDirectory } from "../directory/builds.ts";
import type { SandboxDirectory } from "../directory/sandboxes.ts";
import { type BuildLogs, createBuildLogs } from "../http/build_logs.ts";
import { createGateway, type Gateway } from "../http/gateway.ts";
import { headLimits } from "../http/head_limits.ts";
import { createTunneler } from "../http/tunnel.ts";
import { createWarning } from "../http/warning.ts";
import { createTrackExchange } from "../http/track_exchange.ts";
import { createAccessLog } from "../observability/access_log.ts";
import type { LineWriter } from "../observability/line_writer.ts";
import type { Logger } from "../observability/log.ts";
import {
  type Activity,
  createActivity,
  REPORT_INTERVAL_MS,
} from "../proxy/activity.ts";
import type { AddressRange } from "../proxy/client_address.ts";
import { createForwarder } from "../proxy/forward.ts";
import { createInFlight, type InFlight } from "../proxy/in_flight.ts";
import { UpstreamClient } from "../upstream/client.ts";
import type { Foundation } from "./foundation.ts";
import type { Identity } from "./identity.ts";

/** What carries requests to runners. */
export interface DataPlane {
  readonly gateway: Gateway;
  readonly buildLogs: BuildLogs;
  readonly activity: Activity;
  readonly inFlight: InFlight;
  readonly upstream: UpstreamClient;
  readonly trustedProxies: readonly AddressRange[];
}

/** What it is built from. */
export interface DataPlaneParts {
  readonly identity: Identity;
  readonly sandboxes: SandboxDirectory;
  /** Whether there is a login to send people to. */
  readonly hasLogin: () => boolean;
  readonly logger: Logger;
  readonly lines: LineWriter | undefined;
}

/** Builds it. */
export function composeDataPlane(
  config: Config,
  foundation: Foundation,
  { identity, sandboxes, hasLogin, logger, lines }: DataPlaneParts,
): DataPlane {
  const { limits } = config;
  const { api, metrics, now } = foundation;
  const scheme = config.public.protocol;
  const trustedProxies = config.listen.trustedProxies.map((range) =>
    ipaddr.parseCIDR(range)
  );
  const allowedOrigins = new Set(config.public.allowedOrigins);

  const upstream = new UpstreamClient({
    connectTimeoutMs: config.upstream.connectTimeoutMs,
    headerTimeoutMs: config.upstream.headerTimeoutMs,
    idleTimeoutMs: config.upstream.idleTimeoutMs,
    uploadIdleTimeoutMs: limits.bodyIdleTimeoutMs,
  });
  const forwarder = createForwarder({
    upstream,
    sandboxes,
    now,
  });
  const activity = composeActivity(config, foundation);
  const inFlight = createInFlight({
    all: limits.concurrentExchanges,
    perSandbox: limits.exchangesPerSandbox,
    tunnels: limits.tunnels,
  });
  const accessLog = createAccessLog(config.log, lines);
  const trackExchange = createTrackExchange({
    corsMode: config.public.corsMode,
    trustedProxies,
    activity,
    inFlight,
    headLimits: headLimits(limits),
    onRecord(record) {
      accessLog(record);
      metrics.exchange(record);
    },
    logger,
    now,
  });
  const { cookies, sessions, gate, throttle } = identity;
  const sealer = foundation.sealerFor("warning");
  return {
    gateway: createGateway({
      scheme,
      cookies,
      answersPreflights: config.public.corsMode === "reflect",
      hasLogin,
      allowedOrigins,
      trustedProxies,
      sessionTtlMs: config.session.ttlMs,
      toolboxOnly: config.public.toolboxOnly,
      warning: config.public.previewWarning
        ? createWarning({ scheme, cookies, sealer, now })
        : undefined,
      gate,
      sessions,
      forwarder,
      tunneler: createTunneler({
        forwarder,
        bufferLimitBytes: limits.tunnelBufferBytes,
      }),
      trackExchange,
      now,
    }),
    buildLogs: createBuildLogs({
      scheme,
      trustedProxies,
      allowedOrigins,
      builds: createBuildDirectory(api),
      throttle,
      upstream,
      trackExchange,
      now,
    }),
    activity,
    inFlight,
    upstream,
    trustedProxies,
  };
}

/** Gateways that share a cache share the reporting too. */
function composeActivity(
  { cache }: Config,
  { api, store, background, metrics, now }: Foundation,
): Activity {
  const claims = store?.shared
    ? {
      claim: createActivityClaims({
        store,
        self: crypto.randomUUID(),
        holdMs: REPORT_INTERVAL_MS,
        now,
      }),
    }
    : {};
  return createActivity({
    report: (sandboxId) => api.updateLastActivity(sandboxId),
    maxSandboxes: cache.maxEntries,
    background,
    now,
    onEvent: metrics.activity,
    ...claims,
  });
}
