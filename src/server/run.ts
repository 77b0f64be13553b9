/** The lifecycle of a gateway process: start, serve, drain on the first signal, stop. */
import type { Config, TlsFiles } from "../config/config.ts";
import type { Handler } from "../gateway/dispatch.ts";
import { type Sleep, sleep } from "../lib/backoff.ts";
import { describeError } from "../lib/describe_error.ts";
import { fulfilsWithin } from "../lib/fulfils_within.ts";
import type { Logger } from "../observability/log.ts";
import { EXIT_CODES, explainListenError, type Outcome } from "./exit.ts";
import { CLOSE_TIMEOUT_MS, listen, type Listener } from "./listen.ts";
import { listenForMetrics } from "./metrics_server.ts";
import {
  type AddSignalListener,
  type EndSignal,
  listenForEnd,
} from "./signals.ts";
import { type Certificate, loadCertificate } from "./tls/certificate.ts";
import { createCertificateCheck } from "./tls/certificate_watch.ts";
import { listenTls } from "./tls/listen_tls.ts";
import { logUncaughtErrors } from "./uncaught.ts";

/** A running gateway, without the listener in front of it. */
export interface GatewayService {
  readonly fetch: Handler;
  /** Renders all metrics in Prometheus' text format. */
  renderMetrics(): string;
  /**
   * Runs the checks of `/ready` until all of them pass: the log has to say what is wrong although nobody asks. Never
   * rejects.
   */
  checkUntilReady(): Promise<void>;
  /** Fails `/ready` from now on, so that load balancers send traffic elsewhere. */
  startDraining(): void;
  /**
   * Waits until closing the port would break nothing, for at most `timeoutMs` ms: until no tunnel is open and every
   * exchange has ended that began before {@linkcode GatewayService.startDraining}, since its response did not ask the client
   * to reconnect. Resolves to whether that came about in time.
   */
  waitUntilPortIdle(timeoutMs: number): Promise<boolean>;
  /**
   * Waits until nothing is in flight, for at most `timeoutMs` ms; then closes tunnels with 1001 (RFC 6455 section
   * 7.4.1) and aborts the rest. Resolves to whether everything ended by itself.
   */
  drain(timeoutMs: number): Promise<boolean>;
  /** Aborts everything, and releases connections, timers and the cache. */
  close(): Promise<void>;
}

/** Dependencies of {@linkcode run}. */
export interface RunOptions {
  readonly config: Pick<Config, "listen" | "limits" | "metrics">;
  readonly createService: () => Promise<GatewayService>;
  /** What the `listening` line says besides addresses. */
  readonly startFacts: Readonly<Record<string, string>>;
  /** Undefined if the platform listens, terminates TLS and stops the process: Deno Deploy. */
  readonly addSignalListener: AddSignalListener | undefined;
  readonly log: Logger;
  /** Whether other threads listen on the same port; without TLS only. */
  readonly reusePort?: boolean;
  /** Real time unless given. */
  readonly sleep?: Sleep;
  /** Clock in ms; real time unless given. */
  readonly now?: () => number;
  /** Within how many ms the same signal again counts as an echo; a default for a process of its own unless given. */
  readonly echoMs?: number;
  /** How often to read the certificate's files, ms; {@linkcode CERTIFICATE_CHECK_MS} unless given. */
  readonly certificateCheckMs?: number;
}

/** How long a client may take for the last octets of its response, ms. */
const LAST_OCTETS_MS = 10_000;

/** How often the certificate's files are read, ms. */
const CERTIFICATE_CHECK_MS = 60_000;

/**
 * Serves until a signal asks it to stop. Resolves when everything has ended, or at once on a second signal; never
 * rejects.
 */
export async function run(options: RunOptions): Promise<Outcome> {
  const { addSignalListener, log, now = () => performance.now() } = options;
  using _ = logUncaughtErrors(log);
  const signals = addSignalListener &&
    listenForEnd(addSignalListener, { now, echoMs: options.echoMs });
  const kill = new AbortController();
  const served = serve(options, signals?.first, kill.signal).catch((error) => ({
    code: EXIT_CODES.failed,
    reason: `${describeError(error)}.`,
  }));
  if (signals === undefined) return await served;
  const forced = signals.second.then((signal): Outcome => {
    log.warn("stopping immediately", { signal });
    kill.abort();
    return { code: EXIT_CODES[signal] };
  });
  return await Promise.race([served, forced]);
}

async function serve(
  options: RunOptions,
  endSignal: Promise<EndSignal> | undefined,
  killed: AbortSignal,
): Promise<Outcome> {
  const { config, log } = options;
  const tls = options.addSignalListener && config.listen.tls;
  const loaded = tls && await loadCertificate(tls);
  if (loaded?.ok === false) {
    return { code: EXIT_CODES.misconfigured, reason: `${loaded.reason}.` };
  }
  await using cleanup = new AsyncDisposableStack();
  const service = await options.createService();
  cleanup.defer(() => service.close());
  // A platform that listens itself has a single port.
  const metrics = options.addSignalListener &&
    listenForMetrics(config, { render: () => service.renderMetrics(), log });
  cleanup.defer(() => metrics?.close(0));
  let listener: Listener;
  try {
    listener = tls === undefined || loaded === undefined
      ? listen(service.fetch, {
        ...config.listen,
        reusePort: options.reusePort ?? false,
      })
      : await listenWithRenewal(service.fetch, options, {
        files: tls,
        current: loaded.certificate,
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
    ...options.startFacts,
  });
  service.checkUntilReady();

  const signal = await Promise.race([
    listener.failed,
    ...endSignal ? [endSignal] : [],
  ]);
  log.info("draining", { signal });
  await drain(signal, { service, listener, killed }, options);
  await cleanup.disposeAsync();
  log.info("stopped");
  return { code: EXIT_CODES.stopped };
}

/** Sends clients elsewhere, and waits for their exchanges and tunnels to end. */
async function drain(
  signal: EndSignal,
  { service, listener, killed }: {
    readonly service: GatewayService;
    readonly listener: Listener;
    readonly killed: AbortSignal;
  },
  options: RunOptions,
): Promise<void> {
  const { config, log, sleep: wait = sleep, now = () => performance.now() } =
    options;
  const { shutdownDelayMs, shutdownTimeoutMs } = config.limits;
  const endsAt = now() + shutdownTimeoutMs;
  service.startDraining();
  listener.startDraining();
  // After Ctrl+C there is no load balancer that has to notice first.
  if (signal === "SIGTERM") await wait(shutdownDelayMs, killed);
  function leftMs(): number {
    return Math.max(0, endsAt - now());
  }
  listener.stopAccepting();
  // `Deno.serve` cannot close its port without closing its WebSockets.
  const closing = await service.waitUntilPortIdle(leftMs())
    ? listener.close(leftMs() + CLOSE_TIMEOUT_MS)
    : undefined;
  const isDrained = await service.drain(leftMs());
  // Nothing is in flight any more. What may be left are responses that slow clients have not taken yet, and sockets
  // whose clients keep them open amid a request.
  if (closing !== undefined) {
    await fulfilsWithin(closing, Math.min(leftMs(), LAST_OCTETS_MS));
  }
  if (!isDrained && !killed.aborted) {
    log.warn("drain timed out, aborted what was left");
  }
}

/** Listens with TLS, and reads the certificate again on SIGHUP and at intervals. */
async function listenWithRenewal(
  handler: Handler,
  options: RunOptions,
  { files, current }: { files: TlsFiles; current: Certificate },
): Promise<Listener> {
  const { config, addSignalListener, log } = options;
  const listener = await listenTls(handler, config.listen, current);
  const check = createCertificateCheck({
    current,
    load: () => loadCertificate(files),
    use: listener.setCertificate,
    log,
  });
  addSignalListener?.("SIGHUP", check);
  const timer = setInterval(
    check,
    options.certificateCheckMs ?? CERTIFICATE_CHECK_MS,
  );
  return {
    ...listener,
    async close(timeoutMs) {
      clearInterval(timer);
      await listener.close(timeoutMs);
    },
  };
}
