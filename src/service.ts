/** The composition root: builds the gateway from its configuration. */
import ipaddr from "ipaddr.js";
import { createGate } from "./auth/gate.ts";
import { createLogin, type Login } from "./auth/login.ts";
import { createLoginSessions } from "./auth/login_sessions.ts";
import {
  createOpenidProvider,
  type OpenidProvider,
} from "./auth/oidc/provider.ts";
import { createTransactionSealer } from "./auth/oidc/transaction.ts";
import { ownCookies } from "./auth/own_cookies.ts";
import { createSessionSealer } from "./auth/session.ts";
import { createThrottle } from "./auth/throttle.ts";
import { openDurableStore } from "./cache/open_store.ts";
import type { Config } from "./config.ts";
import { createDaytonaApi } from "./daytona/client.ts";
import { createAccessDirectory } from "./directory/access.ts";
import { createActivityClaims } from "./directory/activity_claims.ts";
import { createBuildDirectory } from "./directory/builds.ts";
import { createInstallation } from "./directory/installation.ts";
import { createSandboxDirectory } from "./directory/sandboxes.ts";
import { createBuildLogs } from "./http/build_logs.ts";
import { createControl } from "./http/control.ts";
import { createDispatch, type Handler } from "./http/dispatch.ts";
import { createGateway } from "./http/gateway.ts";
import { createReadiness } from "./http/readiness.ts";
import { createTunneler } from "./http/tunnel.ts";
import { createWarning } from "./http/warning.ts";
import { createWithAccount } from "./http/with_account.ts";
import { sleep } from "./lib/backoff.ts";
import { createBackground } from "./lib/background.ts";
import { describeError } from "./lib/describe_error.ts";
import { createSealer, type Sealer } from "./lib/seal.ts";
import { createAccessLog } from "./observability/access_log.ts";
import type { LineWriter } from "./observability/line_writer.ts";
import { loggerFor } from "./observability/log.ts";
import { createMetrics } from "./observability/metrics/metrics.ts";
import { createRequestIds } from "./observability/request_id.ts";
import { createActivity, REPORT_INTERVAL_MS } from "./proxy/activity.ts";
import { createForwarder } from "./proxy/forward.ts";
import { createInFlight } from "./proxy/in_flight.ts";
import { UpstreamClient } from "./upstream/client.ts";

/** A running gateway, without the listener in front of it. */
export interface Service {
  readonly fetch: Handler;
  /** All metrics, in Prometheus' text format. */
  readonly renderMetrics: () => string;
  /** Tells balancers to go elsewhere: `/ready` fails from here on. */
  retire(): void;
  /** Waits until no tunnel is open, but no longer than `timeoutMs` milliseconds; resolves to whether that is so. */
  tunnelsOver(timeoutMs: number): Promise<boolean>;
  /**
   * Waits until nothing is in flight, or until `timeoutMs` milliseconds are over, when tunnels are closed with 1001 and
   * the rest is ended. Resolves to whether everything ended by itself.
   */
  drain(timeoutMs: number): Promise<boolean>;
  /** Ends everything and lets go of connections, timers and the cache. */
  close(): Promise<void>;
}

/** What a service takes besides its configuration. */
export interface ServiceOptions {
  readonly version: string;
  /** Whether the platform's own database is shared by several processes, as on Deno Deploy. */
  readonly platformShared?: boolean;
  /** Where the access log is written; through the log library unless given. */
  readonly lines?: LineWriter;
  /** How often what lasts is asked for its right, ms; {@linkcode RECHECK_INTERVAL_MS} unless given. */
  readonly recheckIntervalMs?: number;
}

/** Tokens that a login session stands for may be long: as much as Deno KV holds in one value. */
const MAX_STORED_LENGTH = 60_000;

/** How long tunnels may take to close once they are told to, ms. */
const FAREWELL_MS = 1000;

/** How often tunnels and streams are asked for their right, ms. */
const RECHECK_INTERVAL_MS = 30_000;

/** How often what lasts is looked at for a report of its use, ms. */
const ACTIVITY_TICK_MS = 5_000;

/** Builds a service; it answers from the start, and `/ready` tells when it can open previews. */
export async function createService(
  config: Config,
  options: ServiceOptions,
): Promise<Service> {
  const now = Date.now;
  const closing = new AbortController();
  const logger = loggerFor("gateway");
  const metrics = createMetrics({ version: options.version });
  const scheme = config.public.protocol;

  const store = await openDurableStore(config.cache.location, {
    platformShared: options.platformShared ?? false,
    now,
    onFailure: (failure) =>
      loggerFor("cache").warn("durable tier failed", {
        store: failure.store,
        reason: failure.message,
        cause: describeError(failure.cause),
      }),
  });
  const api = createDaytonaApi({
    baseUrl: config.daytona.apiUrl,
    apiKey: config.daytona.serviceKey,
    timeoutMs: config.daytona.timeoutMs,
    closing: closing.signal,
    onCall: metrics.apiCall,
  });
  const installation = createInstallation(config, {
    api,
    sleep,
    random: Math.random,
    onFailure: (error) =>
      loggerFor("start").warn("installation not known yet", {
        reason: describeError(error),
      }),
  });
  const { baseDomains } = installation;

  const { secrets } = config.session;
  const { limits } = config;
  const { maxEntries } = config.cache;
  function sealerFor(purpose: string, maxLength?: number): Sealer {
    return createSealer({
      secrets,
      purpose,
      now,
      ...(maxLength === undefined ? {} : { maxLength }),
    });
  }
  const background = createBackground();
  const onEvent = metrics.cacheEvent;
  const answers = { cache: config.cache, store, background, now, onEvent };
  const sandboxes = createSandboxDirectory(api, {
    ...answers,
    sealer: sealerFor("runner"),
  });
  const access = createAccessDirectory(api, answers);
  const cookies = ownCookies({ scheme, sameSite: config.session.sameSite });
  const sessions = createSessionSealer(sealerFor("session"), {
    now,
    maxRemembered: maxEntries,
  });
  let knownProvider: OpenidProvider | undefined;
  /** The identity provider, from the moment on when it is known. */
  function provider(): OpenidProvider | null | undefined {
    const oidc = installation.oidc();
    if (oidc === null || oidc === undefined) return oidc;
    return knownProvider ??= createOpenidProvider(oidc, now);
  }
  const logins = createLoginSessions({
    access,
    provider: () => provider() ?? undefined,
    store,
    sealer: sealerFor("login-session", MAX_STORED_LENGTH),
    background,
    maxEntries,
    now,
    onEvent,
  });
  const throttle = createThrottle({
    refusalsPerMinute: limits.refusalsPerMinute,
    maxClients: maxEntries,
    now,
  });
  const gate = createGate({ sandboxes, access, sessions, logins, throttle });

  const transactions = createTransactionSealer(sealerFor("transaction"), now);
  function login(): Login | null | undefined {
    const known = provider();
    return known && createLogin({
      provider: known,
      transactions,
      sessions,
      logins,
      access,
      baseDomains,
      sessionTtlMs: config.session.ttlMs,
      now,
    });
  }

  const upstream = new UpstreamClient({
    connectTimeoutMs: config.upstream.connectTimeoutMs,
    headerTimeoutMs: config.upstream.headerTimeoutMs,
    idleTimeoutMs: config.upstream.idleTimeoutMs,
    uploadIdleTimeoutMs: limits.bodyIdleTimeoutMs,
  });
  const forwarder = createForwarder({
    upstream,
    sandboxes,
    headLimits: { fields: limits.headerFields, bytes: limits.headerBytes },
    now,
  });
  const activity = createActivity({
    report: (sandboxId) => api.updateLastActivity(sandboxId),
    maxSandboxes: maxEntries,
    background,
    now,
    onEvent: metrics.activity,
    ...(store?.shared
      ? {
        claim: createActivityClaims({
          store,
          self: crypto.randomUUID(),
          holdMs: REPORT_INTERVAL_MS,
          now,
        }),
      }
      : {}),
  });
  const inFlight = createInFlight({
    all: limits.concurrentExchanges,
    perSandbox: limits.exchangesPerSandbox,
    tunnels: limits.tunnels,
  });
  const trustedProxies = config.listen.trustedProxies.map((range) =>
    ipaddr.parseCIDR(range)
  );
  const allowedOrigins = new Set(config.public.allowedOrigins);
  const accessLog = createAccessLog(config.log, options.lines);
  const withAccount = createWithAccount({
    corsMode: config.public.corsMode,
    trustedProxies,
    activity,
    inFlight,
    onRecord(record) {
      accessLog(record);
      metrics.exchange(record);
    },
    logger,
    now,
  });
  const gateway = createGateway({
    scheme,
    cookies,
    answersPreflights: config.public.corsMode === "reflect",
    hasLogin: () => Boolean(installation.oidc()),
    allowedOrigins,
    trustedProxies,
    sessionTtlMs: config.session.ttlMs,
    maxTargetBytes: limits.targetBytes,
    toolboxOnly: config.public.toolboxOnly,
    warning: config.public.previewWarning
      ? createWarning({ scheme, cookies, sealer: sealerFor("warning"), now })
      : undefined,
    gate,
    sessions,
    forwarder,
    tunneler: createTunneler({
      forwarder,
      bufferLimitBytes: limits.tunnelBufferBytes,
    }),
    withAccount,
    now,
  });
  const buildLogs = createBuildLogs({
    scheme,
    trustedProxies,
    allowedOrigins,
    builds: createBuildDirectory(api),
    throttle,
    upstream,
    withAccount,
    now,
  });

  let isDraining = false;
  const control = createControl({
    version: options.version,
    readiness: createReadiness({
      askApi: () => api.config(),
      askProvider: async () => await provider()?.check(),
      installation,
      ...(store === null ? {} : {
        cacheWorks: async () => await store.get(["ready"]) !== "unavailable",
      }),
      isDraining: () => isDraining,
      now,
    }),
    login: { scheme, cookies, baseDomains, login, now },
    logout: { scheme, cookies, sessions, logins },
    logger,
  });

  metrics.observe({
    inFlight: () => inFlight.count,
    tunnels: () => inFlight.tunnelCount,
    upstream: () => ({ ...upstream.stats(), ...upstream.totals() }),
    droppedLogLines: () => options.lines?.dropped ?? 0,
  });
  const learning = installation.learn(closing.signal);
  const rechecking = setInterval(() => {
    inFlight.recheckAll();
    const { bodyIdleTimeoutMs } = limits;
    if (bodyIdleTimeoutMs > 0) inFlight.endStalled(now() - bodyIdleTimeoutMs);
  }, options.recheckIntervalMs ?? RECHECK_INTERVAL_MS);
  Deno.unrefTimer(rechecking);
  const reporting = setInterval(activity.tick, ACTIVITY_TICK_MS);
  Deno.unrefTimer(reporting);

  /** Whether nothing is in flight before `ms` milliseconds are over. */
  function happens(event: Promise<void>, withinMs: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(resolve, withinMs, false);
    closing.signal.addEventListener("abort", () => resolve(false));
    event.then(() => resolve(true));
    return promise.finally(() => clearTimeout(timer));
  }

  return {
    fetch: createDispatch({
      scheme,
      trustedProxies,
      baseDomains,
      gateway,
      buildLogs,
      control,
      nextRequestId: createRequestIds(),
      onOwnAnswer: metrics.exchange,
      now,
    }),
    renderMetrics: metrics.render,
    retire() {
      isDraining = true;
    },
    tunnelsOver: (timeoutMs) => happens(inFlight.tunnelsOver(), timeoutMs),
    async drain(timeoutMs) {
      if (await happens(inFlight.idle(), timeoutMs)) return true;
      inFlight.abortAll();
      await happens(inFlight.idle(), FAREWELL_MS);
      // What still waits for its app is answered so.
      upstream.close();
      return false;
    },
    async close() {
      closing.abort();
      clearInterval(rechecking);
      clearInterval(reporting);
      inFlight.abortAll();
      upstream.close();
      await learning;
      await background.settled();
      store?.close();
    },
  };
}
