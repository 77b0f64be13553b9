/** The composition root: builds the gateway from its configuration. */
import { composeDataPlane } from "./compose/data_plane.ts";
import { composeFoundation } from "./compose/foundation.ts";
import { composeIdentity } from "./compose/identity.ts";
import type { Config } from "./config.ts";
import { createInstallation } from "./directory/installation.ts";
import { createSandboxDirectory } from "./directory/sandboxes.ts";
import { createControl } from "./http/control.ts";
import { createDispatch, type Handler } from "./http/dispatch.ts";
import { headLimits } from "./http/head_limits.ts";
import { createReadiness } from "./http/readiness.ts";
import { sleep } from "./lib/backoff.ts";
import { describeError } from "./lib/describe_error.ts";
import type { LineWriter } from "./observability/line_writer.ts";
import { loggerFor } from "./observability/log.ts";
import { createRequestIds } from "./observability/request_id.ts";

/** A running gateway, without the listener in front of it. */
export interface Service {
  readonly fetch: Handler;
  /** All metrics, in Prometheus' text format. */
  readonly renderMetrics: () => string;
  /** Tells balancers to go elsewhere: `/ready` fails from here on. */
  retire(): void;
  /**
   * Waits until closing the port would harm nobody, but no longer than `timeoutMs` milliseconds: no tunnel is open, and
   * no answer under way that did not announce it. Resolves to whether that is so.
   */
  waitUntilPortIdle(timeoutMs: number): Promise<boolean>;
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

/** How often tunnels and streams are asked for their right, ms. */
const RECHECK_INTERVAL_MS = 30_000;

/** How often what lasts is looked at for a report of its use, ms. */
const ACTIVITY_TICK_MS = 5_000;

/** How long a client may take to send its next request behind an answer that did not tell it not to, ms. */
const LAST_REQUEST_MS = 100;

/** How long what is told to end may take to do so, ms. */
const ABORT_GRACE_MS = 1_000;

/** Builds a service; it answers from the start, and `/ready` tells when it can open previews. */
export async function createService(
  config: Config,
  options: ServiceOptions,
): Promise<Service> {
  const closing = new AbortController();
  const logger = loggerFor("gateway");
  const scheme = config.public.protocol;
  const foundation = await composeFoundation(config, {
    version: options.version,
    platformShared: options.platformShared ?? false,
    closing: closing.signal,
  });
  const { api, store, background, metrics, now } = foundation;
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
  const sandboxes = createSandboxDirectory(api, {
    ...foundation.answers,
    sealer: foundation.sealerFor("runner"),
  });
  const identity = composeIdentity(config, foundation, {
    sandboxes,
    installation,
  });
  const dataPlane = composeDataPlane(config, foundation, {
    identity,
    sandboxes,
    hasLogin: () => Boolean(installation.oidc()),
    logger,
    lines: options.lines,
  });
  const { inFlight, activity, upstream } = dataPlane;

  let isDraining = false;
  const { cookies, sessions, logins, login, provider } = identity;
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

  metrics.setSources({
    inFlight: () => inFlight.count,
    tunnels: () => inFlight.tunnelCount,
    upstream: () => ({ ...upstream.stats(), ...upstream.totals() }),
    droppedLogLines: () => options.lines?.dropped ?? 0,
  });
  const learning = installation.learn(closing.signal);
  const timers = [
    setInterval(() => {
      inFlight.recheckAll();
      const idleMs = config.limits.bodyIdleTimeoutMs;
      if (idleMs > 0) inFlight.abortStalled(performance.now() - idleMs);
    }, options.recheckIntervalMs ?? RECHECK_INTERVAL_MS),
    setInterval(activity.tick, ACTIVITY_TICK_MS),
  ];
  timers.forEach((timer) => Deno.unrefTimer(timer));

  /** Whether something happens before `ms` milliseconds are over, or everything is closed. */
  function happens(event: Promise<void>, ms: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(resolve, ms, false);
    closing.signal.addEventListener("abort", () => resolve(false));
    event.then(() => resolve(true));
    return promise.finally(() => clearTimeout(timer));
  }

  async function waitUntilPortIdle(): Promise<void> {
    await inFlight.drained();
    do {
      await inFlight.noTunnels();
      // Whoever took such an answer may be sending the next request on its connection.
      await sleep(LAST_REQUEST_MS, closing.signal).catch(() => {});
    } while (inFlight.tunnelCount > 0 && !closing.signal.aborted);
  }

  return {
    fetch: createDispatch({
      scheme,
      trustedProxies: dataPlane.trustedProxies,
      baseDomains,
      gateway: dataPlane.gateway,
      buildLogs: dataPlane.buildLogs,
      control,
      headLimits: headLimits(config.limits),
      nextRequestId: createRequestIds(),
      onOwnAnswer: metrics.exchange,
      now,
    }),
    renderMetrics: metrics.render,
    retire() {
      isDraining = true;
      inFlight.beginDrain();
    },
    waitUntilPortIdle: (timeoutMs) => happens(waitUntilPortIdle(), timeoutMs),
    async drain(timeoutMs) {
      if (await happens(inFlight.idle(), timeoutMs)) return true;
      inFlight.abortAll();
      await happens(inFlight.idle(), ABORT_GRACE_MS);
      // What still waits for its app is answered so.
      upstream.close();
      return false;
    },
    async close() {
      closing.abort();
      timers.forEach((timer) => clearInterval(timer));
      inFlight.abortAll();
      upstream.close();
      await learning;
      await background.settled();
      store?.close();
    },
  };
}
