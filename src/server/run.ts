/** A process's life: start, serve, drain on the first signal, end. */
import type { Config, TlsFiles } from "../config.ts";
import type { Handler } from "../http/dispatch.ts";
import { type Sleep, sleep } from "../lib/backoff.ts";
import { describeError } from "../lib/describe_error.ts";
import { type Certificate, loadCertificate } from "./certificate.ts";
import { createCertificateCheck } from "./certificate_watch.ts";
import type { EventLog } from "./event_log.ts";
import { logUncaughtErrors } from "./last_resort.ts";
import { CLOSE_TIMEOUT_MS, listen, type Listener } from "./listen.ts";
import { listenTls } from "./listen_tls.ts";
import { listenForMetrics } from "./metrics_server.ts";
import { EXIT_CODES, explainListenError, type Outcome } from "./outcome.ts";
import {
  type AddSignalListener,
  type EndSignal,
  listenForEnd,
} from "./signals.ts";

/** What is run: the part of a service that its life needs. */
export interface Runnable {
  readonly fetch: Handler;
  /** All metrics, in Prometheus' text format. */
  renderMetrics(): string;
  /** Tells balancers to go elsewhere. */
  retire(): void;
  /**
   * Waits until closing the port would harm nobody, but no longer than `timeoutMs` milliseconds; resolves to whether
   * that is so.
   */
  waitUntilPortIdle(timeoutMs: number): Promise<boolean>;
  /**
   * Waits until nothing is in flight, or until `timeoutMs` milliseconds are over, when what is left is ended.
   * Resolves to whether everything ended by itself.
   */
  drain(timeoutMs: number): Promise<boolean>;
  close(): Promise<void>;
}

/** Parts of {@linkcode run}. */
export interface RunOptions {
  readonly config: Pick<Config, "listen" | "limits" | "metricsPort">;
  readonly createService: () => Promise<Runnable>;
  /** Undefined where the platform listens, speaks TLS and ends the process: Deno Deploy. */
  readonly addSignalListener: AddSignalListener | undefined;
  readonly log: EventLog;
  /** Whether other threads listen on the same port: without TLS only. */
  readonly reusePort?: boolean;
  /** Real time, unless given. */
  readonly sleep?: Sleep;
  readonly now?: () => number;
  /** How often the certificate's files are read, ms; {@linkcode CERTIFICATE_CHECK_MS} unless given. */
  readonly certificateCheckMs?: number;
}

/** How often the certificate's files are read, ms. */
const CERTIFICATE_CHECK_MS = 60_000;

/** Serves until it is told to stop; resolves when everything has ended, or at once when told twice. Never rejects. */
export async function run(options: RunOptions): Promise<Outcome> {
  const { addSignalListener, log, now = () => performance.now() } = options;
  using _ = logUncaughtErrors(log);
  const ends = addSignalListener && listenForEnd(addSignalListener, now);
  const kill = new AbortController();
  const life = live(options, ends?.first, kill.signal).catch((error) => ({
    code: EXIT_CODES.failed,
    reason: `${describeError(error)}.`,
  }));
  if (ends === undefined) return await life;
  const forced = ends.second.then((signal): Outcome => {
    log.warn("stopping at once", { signal });
    kill.abort();
    return { code: EXIT_CODES[signal] };
  });
  return await Promise.race([life, forced]);
}

async function live(
  options: RunOptions,
  told: Promise<EndSignal> | undefined,
  killed: AbortSignal,
): Promise<Outcome> {
  const { config, log } = options;
  const tls = options.addSignalListener && config.listen.tls;
  const loaded = tls && await loadCertificate(tls);
  if (loaded?.ok === false) {
    return { code: EXIT_CODES.misconfigured, reason: `${loaded.reason}.` };
  }
  await using ending = new AsyncDisposableStack();
  const service = await options.createService();
  ending.defer(() => service.close());
  // Where the platform listens there is one port only.
  const metrics = options.addSignalListener &&
    listenForMetrics(config, () => service.renderMetrics());
  ending.defer(() => metrics?.close(0));
  let listener: Listener;
  try {
    listener = tls === undefined || loaded === undefined
      ? listen(service.fetch, {
        ...config.listen,
        reusePort: options.reusePort ?? false,
      })
      : await listenRenewably(service.fetch, options, {
        files: tls,
        current: loaded.certificate,
      });
  } catch (error) {
    const reason = explainListenError(error, config.listen);
    return { code: EXIT_CODES.failed, reason };
  }
  ending.defer(() => listener.close(killed.aborted ? 0 : CLOSE_TIMEOUT_MS));
  killed.addEventListener("abort", () => ending.disposeAsync());
  const { hostname, port } = listener;
  const scheme = loaded === undefined ? "http" : "https";
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  log.info("listening", { url: `${scheme}://${host}:${port}/`, port });

  const signal = await Promise.race([listener.failed, ...told ? [told] : []]);
  log.info("draining", { signal });
  await drain(signal, { service, listener, killed }, options);
  await ending.disposeAsync();
  log.info("stopped");
  return { code: EXIT_CODES.stopped };
}

/** Sends clients elsewhere, and waits for what they have under way. */
async function drain(
  signal: EndSignal,
  { service, listener, killed }: {
    readonly service: Runnable;
    readonly listener: Listener;
    readonly killed: AbortSignal;
  },
  options: RunOptions,
): Promise<void> {
  const { config, log, sleep: wait = sleep, now = () => performance.now() } =
    options;
  const { shutdownDelayMs, shutdownTimeoutMs } = config.limits;
  const endsAt = now() + shutdownTimeoutMs;
  service.retire();
  listener.retire();
  // After Ctrl+C there is no balancer that would have to notice first.
  if (signal === "SIGTERM") await wait(shutdownDelayMs, killed);
  function leftMs(): number {
    return Math.max(0, endsAt - now());
  }
  listener.stopAccepting();
  // `Deno.serve` cannot close its port and leave its WebSockets open.
  const closing = await service.waitUntilPortIdle(leftMs())
    ? listener.close(leftMs() + CLOSE_TIMEOUT_MS)
    : undefined;
  const isDone = await service.drain(leftMs());
  await closing;
  if (!isDone && !killed.aborted) {
    log.warn("drain timed out, the rest was ended");
  }
}

/** Listens with TLS, and reads the certificate anew on SIGHUP and from time to time. */
async function listenRenewably(
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
