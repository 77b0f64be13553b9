/** The composition root: builds the gateway from its configuration. */
import { composeControlPlane } from "./compose/control_plane.ts";
import { composeDataPlane, type DataPlane } from "./compose/data_plane.ts";
import { composeFoundation } from "./compose/foundation.ts";
import { composeIdentity } from "./compose/identity.ts";
import type { Config } from "./config/config.ts";
import type { Readiness } from "./control/routes/health.ts";
import { createDispatch } from "./gateway/dispatch.ts";
import { sleep } from "./lib/backoff.ts";
import { fulfilsWithin } from "./lib/fulfils_within.ts";
import type { LineWriter } from "./observability/line_writer.ts";
import { loggerFor } from "./observability/log.ts";
import { createRequestIds } from "./observability/request_id.ts";
import { createInFlight, type InFlight } from "./proxy/in_flight.ts";
import { createRemoteSettings } from "./resolver/remote_settings.ts";
import { createSandboxResolver } from "./resolver/sandboxes.ts";
import type { GatewayService } from "./server/run.ts";

/** What a service takes besides its configuration. */
export interface ServiceOptions {
  readonly version: string;
  /** Whether the platform's own database is shared by several processes, as on Deno Deploy. */
  readonly platformShared?: boolean;
  /** Where the access log is written; through the log library unless given. */
  readonly lines?: LineWriter;
  /** How often to recheck the access behind tunnels and streams, ms; {@linkcode RECHECK_INTERVAL_MS} unless given. */
  readonly recheckIntervalMs?: number;
  /** How often to look for what has stalled or is due to be reported, ms; {@linkcode TICK_MS} unless given. */
  readonly tickMs?: number;
}

/** How often the access behind tunnels and streams is rechecked, ms. */
const RECHECK_INTERVAL_MS = 30_000;

/** How often to look for tunnels and streams whose use is due to be reported again, or that have stalled, ms. */
const TICK_MS = 5_000;

const NO_LIMITS = { all: Infinity, perSandbox: Infinity, tunnels: Infinity };

/** How often to check until all is well, ms. */
const START_CHECK_MS = 10_000;

/** How long a client may take to send its next request after a response that did not say `Connection: close`, ms. */
const LAST_REQUEST_MS = 100;

/** How long what has been aborted may take to end, ms. */
const ABORT_GRACE_MS = 1_000;

/** Builds a service. It answers requests from the start; `/ready` says when it can open previews. */
export async function createService(
  config: Config,
  options: ServiceOptions,
): Promise<GatewayService> {
  const { version, lines } = options;
  const closing = new AbortController();
  const logger = loggerFor("gateway");
  const foundation = await composeFoundation(config, {
    version,
    platformShared: options.platformShared ?? false,
    closing: closing.signal,
  });
  const { api, store, background, metrics, now } = foundation;
  const installation = createRemoteSettings(config, {
    api,
    warn: (message, facts) => loggerFor("start").warn(message, facts),
  });
  const sandboxes = createSandboxResolver(api, {
    ...foundation,
    sealer: foundation.sealerFor("runner"),
  });
  const identity = composeIdentity(config, foundation, {
    sandboxes,
    installation,
  });
  const dataPlane = composeDataPlane(config, foundation, {
    identity,
    sandboxes,
    hasLogin: () => installation.oidc().kind === "on",
    closing: closing.signal,
    logger,
    lines,
  });
  const { inFlight, upstream } = dataPlane;
  // Requests for our own pages: a shutdown waits for them too, but no limit counts them.
  const ownRequests = createInFlight(NO_LIMITS);
  let isDraining = false;
  const { control, readiness } = composeControlPlane(config, foundation, {
    version,
    identity,
    installation,
    isDraining: () => isDraining,
    closing: closing.signal,
    logger,
  });

  metrics.setSources({
    inFlight: () => inFlight.count,
    tunnels: () => inFlight.tunnelCount,
    upstream: () => ({ ...upstream.stats(), ...upstream.totals() }),
    droppedLogLines: () => lines?.dropped ?? 0,
    leakedSockets: () => dataPlane.leakedSockets.count,
  });
  const learning = installation.learn(closing.signal);
  const stopTimers = startTimers(config, dataPlane, options);

  return {
    fetch: createDispatch({
      scheme: config.public.protocol,
      trustedProxies: dataPlane.trustedProxies,
      baseDomains: installation.baseDomains,
      gateway: dataPlane.gateway,
      buildLogs: dataPlane.buildLogs,
      control,
      ownRequests,
      headLimits: config.limits,
      nextRequestId: createRequestIds(),
      onOwnAnswer: metrics.exchange,
      onUntrustedProxy: (network) =>
        logger.warn(
          "X-Forwarded-For from an address that is not in TRUSTED_PROXIES: if that is a proxy, all its visitors count as one client",
          { network },
        ),
      now,
    }),
    renderMetrics: metrics.render,
    async checkUntilReady() {
      // Before that, what the API has yet to tell would be reported as missing.
      await fulfilsWithin(learning, START_CHECK_MS, closing.signal);
      await checkUntilReady(readiness, closing.signal);
    },
    startDraining() {
      isDraining = true;
      inFlight.beginDrain();
      ownRequests.beginDrain();
    },
    ...createDrain({ inFlight, ownRequests, upstream }, closing.signal),
    async close() {
      closing.abort();
      stopTimers();
      inFlight.abortAll();
      upstream.close();
      await learning;
      await background.settled();
      store?.close();
    },
  };
}

/** Runs the checks of `/ready`, which log what is wrong, until all of them pass or the gateway stops. */
async function checkUntilReady(
  readiness: () => Promise<Readiness>,
  closing: AbortSignal,
): Promise<void> {
  while (!closing.aborted) {
    const { status } = await readiness();
    if (status === "ready" || status === "draining") return;
    await sleep(START_CHECK_MS, closing).catch(() => {});
  }
}

/** Starts the timers that look after tunnels and streams, which keep no process alive; returns a function to stop them. */
function startTimers(
  { limits: { bodyIdleTimeoutMs } }: Config,
  { inFlight, activity }: DataPlane,
  { recheckIntervalMs = RECHECK_INTERVAL_MS, tickMs = TICK_MS }: ServiceOptions,
): () => void {
  const timers = [
    setInterval(inFlight.recheckAll, recheckIntervalMs),
    setInterval(() => {
      activity.tick();
      if (bodyIdleTimeoutMs > 0) {
        inFlight.abortStalled(performance.now() - bodyIdleTimeoutMs);
      }
    }, tickMs),
  ];
  timers.forEach((timer) => Deno.unrefTimer(timer));
  return () => timers.forEach((timer) => clearInterval(timer));
}

/** Creates the two waits of a graceful shutdown; aborting `closing` ends both. */
function createDrain(
  { inFlight, ownRequests, upstream }:
    & Pick<DataPlane, "inFlight" | "upstream">
    & { readonly ownRequests: InFlight },
  closing: AbortSignal,
): Pick<GatewayService, "waitUntilPortIdle" | "drain"> {
  async function portIdle(): Promise<void> {
    await Promise.all([inFlight.drained(), ownRequests.drained()]);
    do {
      await inFlight.noTunnels();
      // A client whose exchange has just ended may be sending its next request on the same connection.
      await sleep(LAST_REQUEST_MS, closing).catch(() => {});
    } while (inFlight.tunnelCount > 0 && !closing.aborted);
  }

  return {
    waitUntilPortIdle: (timeoutMs) =>
      fulfilsWithin(portIdle(), timeoutMs, closing),
    async drain(timeoutMs) {
      const idle = Promise.all([inFlight.idle(), ownRequests.idle()]);
      if (await fulfilsWithin(idle, timeoutMs, closing)) return true;
      inFlight.abortAll();
      await fulfilsWithin(inFlight.idle(), ABORT_GRACE_MS, closing);
      // Requests that still wait for their app are answered `shutting_down`.
      upstream.close();
      return false;
    },
  };
}
