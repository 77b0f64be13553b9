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
import { createInstallation } from "./directory/installation.ts";
import { createSandboxDirectory } from "./directory/sandboxes.ts";
import { createControl } from "./http/control.ts";
import { createDispatch, type Handler } from "./http/dispatch.ts";
import { createGateway } from "./http/gateway.ts";
import { createReadiness } from "./http/readiness.ts";
import { createTunneler } from "./http/tunnel.ts";
import { sleep } from "./lib/backoff.ts";
import { createBackground } from "./lib/background.ts";
import { describeError } from "./lib/describe_error.ts";
import { createSealer, type Sealer } from "./lib/seal.ts";
import { createAccessLog } from "./observability/access_log.ts";
import type { LineWriter } from "./observability/line_writer.ts";
import { loggerFor } from "./observability/log.ts";
import { createRequestIds } from "./observability/request_id.ts";
import { createForwarder } from "./proxy/forward.ts";
import { createInFlight } from "./proxy/in_flight.ts";
import { UpstreamClient } from "./upstream/client.ts";

/** A running gateway, without the listener in front of it. */
export interface Service {
  readonly fetch: Handler;
  /**
   * Tells balancers to go elsewhere and waits until nothing is in flight, or until `timeoutMs` milliseconds are
   * over, when open tunnels are closed with 1001.
   */
  drain(timeoutMs: number): Promise<void>;
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

/** How often tunnels and streams are asked for their right, ms. */
const RECHECK_INTERVAL_MS = 30_000;

/** Builds a service; it answers from the start, and `/ready` tells when it can open previews. */
export async function createService(
  config: Config,
  options: ServiceOptions,
): Promise<Service> {
  const now = Date.now;
  const closing = new AbortController();
  const logger = loggerFor("gateway");
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
  const answers = { cache: config.cache, store, background, now };
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
  });
  const gate = createGate({
    sandboxes,
    access,
    sessions,
    logins,
    throttle: createThrottle({
      refusalsPerMinute: config.limits.refusalsPerMinute,
      maxClients: maxEntries,
      now,
    }),
  });

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
  });
  const forwarder = createForwarder({ upstream, sandboxes });
  const inFlight = createInFlight(config.limits.concurrentExchanges);
  const trustedProxies = config.listen.trustedProxies.map((range) =>
    ipaddr.parseCIDR(range)
  );
  const gateway = createGateway({
    scheme,
    cookies,
    corsMode: config.public.corsMode,
    hasLogin: () => Boolean(installation.oidc()),
    allowedOrigins: new Set(config.public.allowedOrigins),
    trustedProxies,
    sessionTtlMs: config.session.ttlMs,
    gate,
    sessions,
    forwarder,
    tunneler: createTunneler({
      forwarder,
      bufferLimitBytes: config.limits.tunnelBufferBytes,
    }),
    inFlight,
    accessLog: createAccessLog(config.log, options.lines),
    logger,
    now,
  });

  let isDraining = false;
  const control = createControl({
    version: options.version,
    readiness: createReadiness({
      askApi: () => api.config(),
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

  const learning = installation.learn(closing.signal);
  const rechecking = setInterval(
    () => inFlight.recheckAll(),
    options.recheckIntervalMs ?? RECHECK_INTERVAL_MS,
  );
  Deno.unrefTimer(rechecking);

  return {
    fetch: createDispatch({
      scheme,
      trustedProxies,
      baseDomains,
      gateway,
      control,
      nextRequestId: createRequestIds(),
      now,
    }),
    async drain(timeoutMs) {
      isDraining = true;
      const timeout = AbortSignal.any([
        closing.signal,
        AbortSignal.timeout(timeoutMs),
      ]);
      await Promise.race([
        inFlight.idle(),
        new Promise((resolve) => timeout.addEventListener("abort", resolve)),
      ]);
      inFlight.abortAll();
    },
    async close() {
      closing.abort();
      clearInterval(rechecking);
      inFlight.abortAll();
      upstream.close();
      await learning;
      await background.settled();
      store?.close();
    },
  };
}
