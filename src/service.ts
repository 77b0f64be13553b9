/** The composition root: builds the gateway from its configuration. */
import ipaddr from "ipaddr.js";
import { createGate } from "./auth/gate.ts";
import { createSessionSealer } from "./auth/session.ts";
import { openDurableStore } from "./cache/open_store.ts";
import type { Config } from "./config.ts";
import { createDaytonaApi } from "./daytona/client.ts";
import { createAccessDirectory } from "./directory/access.ts";
import { createBaseDomains } from "./directory/base_domains.ts";
import { createSandboxDirectory } from "./directory/sandboxes.ts";
import { createControl } from "./http/control.ts";
import { createDispatch, type Handler } from "./http/dispatch.ts";
import { createGateway } from "./http/gateway.ts";
import { createReadiness } from "./http/readiness.ts";
import { createTunneler } from "./http/tunnel.ts";
import { sleep } from "./lib/backoff.ts";
import { createSealer } from "./lib/seal.ts";
import { createAccessLog } from "./observability/access_log.ts";
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
}

/** Builds a service; it answers from the start, and `/ready` tells when it can open previews. */
export async function createService(
  config: Config,
  options: ServiceOptions,
): Promise<Service> {
  const now = Date.now;
  const logger = loggerFor("gateway");
  const scheme = config.public.protocol;

  const store = await openDurableStore(config.cache.location, {
    platformShared: options.platformShared ?? false,
    now,
    onFailure: (failure) =>
      loggerFor("cache").warn("durable tier: {message}", { ...failure }),
  });
  const api = createDaytonaApi({
    baseUrl: config.daytona.apiUrl,
    apiKey: config.daytona.serviceKey,
    timeoutMs: config.daytona.timeoutMs,
  });
  const baseDomains = createBaseDomains(
    config.public.domains.map(({ name }) => name),
    {
      api,
      sleep,
      random: Math.random,
      onFailure: (error) =>
        loggerFor("start").warn("base domains unknown: {error}", { error }),
    },
  );

  const { secrets } = config.session;
  const answers = { cache: config.cache, store, now };
  const sandboxes = createSandboxDirectory(api, {
    ...answers,
    sealer: createSealer({ secrets, purpose: "runner", now }),
  });
  const sessions = createSessionSealer(
    createSealer({ secrets, purpose: "session", now }),
    { now, maxRemembered: config.cache.maxEntries },
  );
  const gate = createGate({
    sandboxes,
    sessions,
    access: createAccessDirectory(api, answers),
  });

  const upstream = new UpstreamClient({
    connectTimeoutMs: config.upstream.connectTimeoutMs,
    headerTimeoutMs: config.upstream.headerTimeoutMs,
    idleTimeoutMs: config.upstream.idleTimeoutMs,
  });
  const forwarder = createForwarder({ upstream, sandboxes });
  const inFlight = createInFlight(config.limits.concurrentExchanges);
  const gateway = createGateway({
    scheme,
    allowedOrigins: new Set(config.public.allowedOrigins),
    trustedProxies: config.listen.trustedProxies.map((range) =>
      ipaddr.parseCIDR(range)
    ),
    sessionTtlMs: config.session.ttlMs,
    gate,
    sessions,
    forwarder,
    tunneler: createTunneler({
      forwarder,
      bufferLimitBytes: config.limits.tunnelBufferBytes,
    }),
    inFlight,
    accessLog: createAccessLog(loggerFor("access")),
    logger,
    now,
  });

  let isDraining = false;
  const control = createControl({
    version: options.version,
    readiness: createReadiness({
      askApi: () => api.config(),
      baseDomains,
      ...(store === null ? {} : {
        cacheWorks: async () => await store.get(["ready"]) !== "unavailable",
      }),
      isDraining: () => isDraining,
      now,
    }),
    logger,
  });

  const closing = new AbortController();
  const learning = baseDomains.learn(closing.signal);

  return {
    fetch: createDispatch({
      baseDomains: baseDomains.current,
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
      inFlight.abortAll();
      upstream.close();
      await learning;
      store?.close();
    },
  };
}
