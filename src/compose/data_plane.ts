/** Composes what carries requests to runners. */
import ipaddr from "ipaddr.js";
import type { OwnCookies } from "../auth/own_cookies.ts";
import type { Config } from "../config/config.ts";
import { type BuildLogs, createBuildLogs } from "../gateway/build_logs.ts";
import {
  createLeakedSockets,
  type LeakedSockets,
} from "../gateway/leaked_sockets.ts";
import { createTunnelOpener } from "../gateway/open_tunnel.ts";
import { createGateway, type Gateway } from "../gateway/preview.ts";
import {
  createTrackExchange,
  type TrackExchange,
} from "../gateway/track_exchange.ts";
import { createWarning, type Warning } from "../gateway/warning.ts";
import { describeError } from "../lib/describe_error.ts";
import { createAccessLog } from "../observability/access_log.ts";
import type { LineWriter } from "../observability/line_writer.ts";
import { type Logger, loggerFor } from "../observability/log.ts";
import {
  type Activity,
  createActivity,
  REPORT_INTERVAL_MS,
} from "../proxy/activity.ts";
import { createForwarder } from "../proxy/forward.ts";
import type { AddressRange } from "../proxy/forwarded.ts";
import { createInFlight, type InFlight } from "../proxy/in_flight.ts";
import { createActivityClaims } from "../resolver/activity_claims.ts";
import { createBuildResolver } from "../resolver/builds.ts";
import type { SandboxResolver } from "../resolver/sandboxes.ts";
import { UpstreamClient } from "../upstream/http1/client.ts";
import type { Foundation } from "./foundation.ts";
import type { Identity } from "./identity.ts";

/** What carries requests to runners. */
export interface DataPlane {
  readonly gateway: Gateway;
  readonly buildLogs: BuildLogs;
  readonly activity: Activity;
  readonly inFlight: InFlight;
  readonly leakedSockets: LeakedSockets;
  readonly upstream: UpstreamClient;
  readonly trustedProxies: readonly AddressRange[];
}

/** Dependencies of {@linkcode composeDataPlane}. */
export interface DataPlaneOptions {
  readonly identity: Identity;
  readonly sandboxes: SandboxResolver;
  /** Whether there is a login to send people to. */
  readonly hasLogin: () => boolean;
  /** Aborted when what is left is given up: what fails then is no news. */
  readonly closing: AbortSignal;
  readonly logger: Logger;
  /** Where the access log is written; through the log library if undefined. */
  readonly lines: LineWriter | undefined;
}

/** Composes the handlers of requests for sandboxes and build logs, and the client that sends them to runners. */
export function composeDataPlane(
  config: Config,
  foundation: Foundation,
  options: DataPlaneOptions,
): DataPlane {
  const { limits, session } = config;
  const { protocol: scheme, corsMode, toolboxOnly } = config.public;
  const { api, now } = foundation;
  const { identity, sandboxes, hasLogin } = options;
  const { cookies, gate, sessions, throttle } = identity;
  const trustedProxies = config.listen.trustedProxies.map((range) =>
    ipaddr.parseCIDR(range)
  );
  const upstream = new UpstreamClient({
    connectTimeoutMs: config.upstream.connectTimeoutMs,
    headerTimeoutMs: config.upstream.headerTimeoutMs,
    idleTimeoutMs: config.upstream.idleTimeoutMs,
    uploadIdleTimeoutMs: limits.bodyIdleTimeoutMs,
  });
  const forwarder = createForwarder({ upstream, sandboxes, now });
  const activity = composeActivity(config, foundation, options);
  const inFlight = createInFlight({
    all: limits.concurrentExchanges,
    perSandbox: limits.exchangesPerSandbox,
    tunnels: limits.tunnels,
  });
  const leakedSockets = createLeakedSockets(() =>
    options.logger.warn(
      "too many sockets were lost: until a restart, no response is streamed while its request is still being sent",
    )
  );
  const common = {
    allowedOrigins: new Set(config.public.allowedOrigins),
    trackExchange: composeTrackExchange(config, foundation, {
      ...options,
      trustedProxies,
      activity,
      inFlight,
      leakedSockets,
    }),
    now,
  };
  return {
    gateway: createGateway({
      ...common,
      scheme,
      cookies,
      answersPreflights: corsMode === "reflect",
      hasLogin,
      sessionTtlMs: session.ttlMs,
      toolboxOnly,
      warning: composeWarning(config, foundation, cookies),
      gate,
      sessions,
      forwarder,
      tunnelOpener: createTunnelOpener({
        forwarder,
        bufferLimitBytes: limits.tunnelBufferBytes,
      }),
    }),
    buildLogs: createBuildLogs({
      ...common,
      builds: createBuildResolver(api),
      throttle,
      upstream,
    }),
    activity,
    inFlight,
    leakedSockets,
    upstream,
    trustedProxies,
  };
}

/** Composes what every exchange runs in; finished ones go to the access log and the metrics. */
function composeTrackExchange(
  config: Config,
  { metrics, now }: Foundation,
  { trustedProxies, activity, inFlight, leakedSockets, logger, lines }:
    & Pick<
      DataPlane,
      "trustedProxies" | "activity" | "inFlight" | "leakedSockets"
    >
    & Pick<DataPlaneOptions, "logger" | "lines">,
): TrackExchange {
  const accessLog = createAccessLog(config.log, lines);
  return createTrackExchange({
    corsMode: config.public.corsMode,
    trustedProxies,
    activity,
    inFlight,
    headLimits: config.limits,
    onRecord(record) {
      accessLog(record);
      metrics.exchange(record);
    },
    leakedSockets,
    logger,
    now,
  });
}

/** Composes the warning before the first visit to a preview; undefined if it is switched off. */
function composeWarning(
  { public: { previewWarning, protocol: scheme } }: Config,
  { sealerFor, now }: Foundation,
  cookies: OwnCookies,
): Warning | undefined {
  if (!previewWarning) return undefined;
  const sealer = sealerFor("warning");
  return createWarning({ scheme, cookies, sealer, now });
}

/** Composes the reports of sandboxes in use; gateways that share a cache also share the reporting. */
function composeActivity(
  { cache }: Config,
  { api, store, background, metrics, now }: Foundation,
  { closing }: Pick<DataPlaneOptions, "closing">,
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
    onFailure(error, sandboxId) {
      if (closing.aborted) return;
      loggerFor("activity").warn("activity report failed", {
        sandboxId,
        reason: describeError(error),
      });
    },
    ...claims,
  });
}
