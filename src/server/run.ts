/** The lifecycle of a gateway process: start, serve, drain on the first signal, stop. */
import { formatLocalCache } from "../config/cache_location.ts";
import type { Config } from "../config/config.ts";
import type { Handler } from "../downstream/http/handler.ts";
import {
  CLOSE_TIMEOUT_MS,
  listen,
  type Listener,
} from "../downstream/http/listen.ts";
import { loadCertificate } from "../downstream/tls/certificate.ts";
import { listenWithRenewal } from "../downstream/tls/certificate_watch.ts";
import type { TlsLimits } from "../downstream/tls/listen_tls.ts";
import { sleep } from "../lib/backoff.ts";
import { describeError } from "../lib/describe_error.ts";
import { fulfilsWithin } from "../lib/fulfils_within.ts";
import type { LineWriter } from "../observability/line_writer.ts";
import type { Logger } from "../observability/log.ts";
import { type Dial, dialOnDeploy } from "../upstream/http1/connect.ts";
import { EXIT_CODES, explainListenError, type Outcome } from "./exit.ts";
import { withLastResort } from "./last_resort.ts";
import { listenForMetrics } from "./metrics_server.ts";
import { reserveDescriptors } from "./reserve_descriptors.ts";
import {
  type AddSignalListener,
  type EndSignal,
  listenForEnd,
} from "./signals.ts";
import { logUncaughtErrors } from "./uncaught.ts";

/** A running gateway, without the listener in front of it. */
export interface GatewayService {
  readonly fetch: Handler;
  /** What bounds the memory that connections take with the gateway's own TLS. */
  readonly tlsLimits: TlsLimits;
  /** Renders all metrics in Prometheus' text format, and begins the checks of `/ready`, since nobody else may. */
  renderMetrics(): string;
  /** Pages beside the metrics, by path. */
  readonly metricsPages: Parameters<typeof listenForMetrics>[1]["pages"];
  certificateExpires(at: Date): void;
  /** Runs the checks of `/ready` until all pass: the log has to say what is wrong unasked. Never rejects. */
  checkUntilReady(): Promise<void>;
  /** Fails `/ready` from now on, so that load balancers send traffic elsewhere. */
  startDraining(): void;
  /** Refuses new requests from now on, if another gateway can answer them and nothing else keeps them away. */
  refuseNew(): Promise<void>;
  /**
   * Waits until closing the port would break nothing, for at most `timeoutMs` ms: until no tunnel is open and every
   * exchange has ended that began before {@linkcode GatewayService.startDraining}, since its response did not ask the client
   * to reconnect. Resolves to whether that came about in time.
   */
  waitUntilPortIdle(timeoutMs: number): Promise<boolean>;
  /**
   * Waits until nothing is in flight, for at most `timeoutMs` ms; then closes tunnels with 1001 (RFC 6455 section
   * 7.4.1) and aborts the rest, one after another over `spreadMs` ms. What has begun since has half a second, once
   * `closePort` has kept others away; that resolves when no request is open. Resolves to whether everything ended by itself.
   */
  drain(
    timeoutMs: number,
    spreadMs: number,
    closePort?: () => Promise<void>,
  ): Promise<boolean>;
  /** Aborts everything, and releases connections, timers and the cache. */
  close(): Promise<void>;
}

/** What a service is told of the process that it is in. */
export interface ProcessFacts {
  /** True if the platform's own database is shared by several processes, as on Deno Deploy. */
  readonly platformShared: boolean;
  /** True if nothing else is in the process, so that its size tells what the service takes. */
  readonly ownsProcess: boolean;
  /** True if `fetch()` goes by a proxy (`HTTP_PROXY` and the like). */
  readonly fetchesByProxy: boolean;
  /** True if Deno makes spans of what it serves, and of what `fetch()` asks for, with the URL (OpenTelemetry). */
  readonly hasSpans: boolean;
  /** How upstreams are reached; over the network unless given. */
  readonly dial?: Dial;
}

export interface RunOptions
  extends Pick<ProcessFacts, "fetchesByProxy" | "hasSpans"> {
  readonly config: Config;
  readonly version: string;
  readonly createService: (
    config: Config,
    options: Pick<RunOptions, "version" | "lines"> & ProcessFacts,
  ) => Promise<GatewayService>;
  /** Where the access log is written. */
  readonly lines: LineWriter;
  readonly addSignalListener: AddSignalListener;
  /** True if a platform listens, terminates TLS and stops the process: Deno Deploy. */
  readonly isManaged: boolean;
  readonly log: Logger;
}

/** How long a drain lasts on a platform, ms, and when the process ends at the latest: it would be killed after 5 s. */
const MANAGED_DRAIN_MS = 4_000;
const MANAGED_EXIT_MS = 4_700;

/** The time that a client has to take the last bytes of its response, ms. */
const LAST_BYTES_MS = 10_000;

/**
 * Serves until a signal asks it to stop. Resolves when everything has ended, at once on a second signal, or in time on a
 * platform; never rejects.
 */
export async function run(options: RunOptions): Promise<Outcome> {
  const { addSignalListener, isManaged, log } = options;
  using _ = logUncaughtErrors(log);
  const signals = listenForEnd(addSignalListener);
  const kill = new AbortController();
  const served = serve(options, signals.first, kill.signal).catch((error) => ({
    code: EXIT_CODES.failed,
    reason: `${describeError(error)}.`,
  }));
  const ended = new AbortController();
  async function overdue(): Promise<EndSignal> {
    const signal = await signals.first;
    await sleep(MANAGED_EXIT_MS, ended.signal);
    return signal;
  }
  const last = isManaged ? [signals.second, overdue()] : [signals.second];
  const forced = Promise.race(last).then((signal): Outcome => {
    log.warn("stopping immediately", { signal });
    kill.abort();
    return { code: EXIT_CODES[signal] };
  });
  return await Promise.race([served, forced]).finally(() => ended.abort());
}

async function serve(
  options: RunOptions,
  endSignal: Promise<EndSignal>,
  killed: AbortSignal,
): Promise<Outcome> {
  const { config, addSignalListener, isManaged, log } = options;
  const files = isManaged ? undefined : config.listen.tls;
  const loaded = files && await loadCertificate(files);
  if (loaded?.ok === false) {
    return { code: EXIT_CODES.misconfigured, reason: `${loaded.reason}.` };
  }
  await using cleanup = new AsyncDisposableStack();
  const { version, lines, fetchesByProxy, hasSpans } = options;
  if (!isManaged) cleanup.use(reserveDescriptors(log));
  const service = await options.createService(config, {
    version,
    lines,
    platformShared: isManaged,
    ownsProcess: !isManaged,
    fetchesByProxy,
    hasSpans,
    ...isManaged && { dial: dialOnDeploy },
  });
  cleanup.defer(() => service.close());
  // A platform that listens itself has a single port.
  const metrics = isManaged ? undefined : listenForMetrics(config.metrics, {
    render: () => service.renderMetrics(),
    pages: service.metricsPages,
    log,
  });
  cleanup.defer(() => metrics?.close(0));
  const handler = withLastResort(service.fetch);
  let listener: Listener;
  try {
    listener = files === undefined || loaded === undefined
      ? listen(handler, config.listen)
      : await listenWithRenewal(handler, config.listen, {
        files,
        current: loaded.certificate,
        limits: service.tlsLimits,
        addSignalListener,
        onUse: ({ expiresAt }) => service.certificateExpires(expiresAt),
        log,
      });
  } catch (error) {
    const reason = explainListenError(error, config.listen);
    return { code: EXIT_CODES.failed, reason };
  }
  cleanup.defer(() => listener.close(killed.aborted ? 0 : CLOSE_TIMEOUT_MS));
  killed.addEventListener("abort", () => cleanup.disposeAsync());
  const { hostname, port } = listener;
  const scheme = loaded === undefined ? "http" : "https";
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  log.info("listening", {
    url: `${scheme}://${host}:${port}/`,
    port,
    metricsPort: metrics?.port,
    ...startFacts(options),
  });
  service.checkUntilReady();

  const signal = await Promise.race([listener.failed, endSignal]);
  log.info("draining", { signal });
  await drain(signal, { service, listener, killed }, options);
  await cleanup.disposeAsync();
  log.info("stopped");
  return { code: EXIT_CODES.stopped };
}

/** Facts by which an operator recognizes a gateway and its configuration; none of them is a secret. */
function startFacts({ config, version }: RunOptions): Record<string, string> {
  const { domains } = config.public;
  const { location } = config.cache;
  const fromApi = "from the API";
  return {
    version,
    domains: domains.length === 0
      ? fromApi
      : domains.map(({ name, port }) =>
        port === undefined ? name : `${name}:${port}`
      ).join(","),
    mode: config.daytona.mode,
    apiUrl: config.daytona.apiUrl,
    cache: location.kind === "kv" || location.kind === "none"
      ? formatLocalCache(location)
      : location.kind,
    ...loginFacts(config, fromApi),
  };
}

function loginFacts(
  { daytona: { mode }, login: { allow, byLabel }, oidc: { issuer } }: Config,
  fromApi: string,
): Record<string, string> {
  if (mode === "proxy") return { issuer: issuer ?? fromApi };
  if (allow === undefined && !byLabel) {
    return { login: "nobody: LOGIN_ALLOW is not set" };
  }
  const rule = allow === undefined ? "LOGIN_BY_LABEL" : "LOGIN_ALLOW";
  return { login: `by ${rule}`, issuer: issuer ?? "" };
}

/** The last part of a drain, in which what is left is ended, so that not all clients come back at the same instant. */
const SPREAD_SHARE = 0.1;

/** The longest that this part may be, ms. */
const MAX_SPREAD_MS = 10_000;

/** Sends clients elsewhere, and waits for their exchanges and tunnels to end. */
async function drain(
  signal: EndSignal,
  { service, listener, killed }: {
    readonly service: GatewayService;
    readonly listener: Listener;
    readonly killed: AbortSignal;
  },
  { config: { limits }, isManaged, log }: RunOptions,
): Promise<void> {
  const shutdownTimeoutMs = isManaged
    ? Math.min(limits.shutdownTimeoutMs, MANAGED_DRAIN_MS)
    : limits.shutdownTimeoutMs;
  const endsAt = performance.now() + shutdownTimeoutMs;
  function leftMs(): number {
    return Math.max(0, endsAt - performance.now());
  }
  const spreadMs = Math.min(shutdownTimeoutMs * SPREAD_SHARE, MAX_SPREAD_MS);
  /** What is left until the last part, in which clients are sent away one after another. */
  function patienceMs(): number {
    return Math.max(0, leftMs() - spreadMs);
  }
  service.startDraining();
  listener.startDraining();
  // After Ctrl+C there is no load balancer that has to notice first.
  if (signal === "SIGTERM") await sleep(limits.shutdownDelayMs, killed);
  listener.stopAccepting();
  if (!isManaged) await service.refuseNew();
  function closePort(): Promise<void> {
    return listener.close(leftMs() + CLOSE_TIMEOUT_MS);
  }
  // `Deno.serve` cannot close its port without closing its WebSockets.
  const closing = await service.waitUntilPortIdle(patienceMs())
    ? closePort()
    : undefined;
  const isDrained = await service.drain(
    patienceMs(),
    spreadMs,
    () => closing ?? closePort(),
  );
  // Nothing is in flight any more. What may be left are responses that slow clients have not taken yet, and sockets
  // whose clients keep them open amid a request.
  if (closing !== undefined) {
    await fulfilsWithin(closing, Math.min(leftMs(), LAST_BYTES_MS));
  }
  if (!isDrained && !killed.aborted) {
    log.warn("drain timed out, aborted what was left");
  }
}
