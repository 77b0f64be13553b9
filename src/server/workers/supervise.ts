/**
 * Uses more than one core: the main thread supervises worker threads, each of which is a whole gateway on the same port.
 * The supervisor handles signals, writes the log, serves the metrics and ends the process.
 */
import type { Config } from "../../config/config.ts";
import type { ListenAddress } from "../../downstream/http/listen.ts";
import { describeError } from "../../lib/describe_error.ts";
import { fulfilsWithin } from "../../lib/fulfils_within.ts";
import type { StreamLineWriter } from "../../observability/line_writer.ts";
import type { Logger } from "../../observability/log.ts";
import { sumExpositions } from "../../observability/metrics/sum_expositions.ts";
import type { RecentTroubles } from "../../observability/status/recent_troubles.ts";
import {
  mergeReports,
  type StatusReport,
} from "../../observability/status/report.ts";
import { whyNoThread } from "../../platform/worker_permission.ts";
import { EXIT_CODES, explainListenError, type Outcome } from "../exit.ts";
import { listenForMetrics } from "../metrics_server.ts";
import { type AddSignalListener, listenForEnd } from "../signals.ts";
import { logUncaughtErrors } from "../uncaught.ts";
import type { WorkerStart } from "./messages.ts";
import { startThread, type Thread, WorkerHandle } from "./worker_thread.ts";

/** Dependencies of {@linkcode supervise}. */
export interface SuperviseOptions {
  readonly config: Config;
  /** Number of threads that serve. */
  readonly workers: number;
  readonly version: string;
  /** URL of the module that a worker runs. */
  readonly entry: string;
  readonly addSignalListener: AddSignalListener;
  readonly lines: StreamLineWriter;
  readonly log: Logger;
  /** What this thread's log has of troubles. */
  readonly troubles: Pick<RecentTroubles, "list">;
  /** {@linkcode startThread} unless given: a real thread cannot be made to fail at a certain moment. */
  readonly startThread?: (entry: string, start: WorkerStart) => Thread;
}

/** The time that workers have to send their metrics, ms. */
const METRICS_TIMEOUT_MS = 2000;

/** The time that workers have to send their last log lines when they must stop at once, ms. */
const LAST_LINES_MS = 1000;

/**
 * Serves until a signal asks it to stop. Resolves when every worker has ended, or as soon as one has failed or a second
 * signal arrives; never rejects.
 */
export async function supervise(options: SuperviseOptions): Promise<Outcome> {
  const { config, entry, addSignalListener, log } = options;
  using _ = logUncaughtErrors(log);
  const { first, second } = listenForEnd(addSignalListener);
  const reason = await whyNoThread(entry);
  if (reason !== undefined) return { code: EXIT_CODES.misconfigured, reason };
  let port: number;
  try {
    port = freePort(config.listen);
  } catch (error) {
    const reason = explainListenError(error, config.listen);
    return { code: EXIT_CODES.failed, reason };
  }

  await using cleanup = new AsyncDisposableStack();
  const workers: WorkerHandle[] = [];
  try {
    const metrics = listenForMetrics(config.metrics, {
      render: (looks) => renderMetrics(workers, looks),
      report: () => reportOf(workers, options.troubles),
      log,
    });
    cleanup.defer(() => metrics?.close(0));
    log.info("supervising", {
      workers: options.workers,
      metricsPort: metrics?.port,
    });
  } catch (error) {
    return { code: EXIT_CODES.failed, reason: `${describeError(error)}.` };
  }
  workers.push(...startWorkers(port, options));
  cleanup.defer(() => workers.forEach((worker) => worker.terminate()));
  for (const request of [first, second]) {
    request.then((signal) => workers.forEach((each) => each.signal(signal)));
  }
  const ended = outcomeOf(workers);
  const forced = second.then(async (signal): Promise<Outcome> => {
    await fulfilsWithin(ended, LAST_LINES_MS);
    return { code: EXIT_CODES[signal] };
  });
  return await Promise.race([ended, forced]);
}

function startWorkers(
  port: number,
  options: SuperviseOptions,
): WorkerHandle[] {
  const { workers, version, entry, lines, log } = options;
  const start = options.startThread ?? startThread;
  const config = workerConfig(options.config, { workers, port });
  return Array.from({ length: workers }, (_, index) => {
    const number = index + 1;
    const thread = start(entry, { number, version, config });
    return new WorkerHandle(thread, { number, lines, log });
  });
}

/**
 * The configuration of one of `workers` workers: all of them listen on `port`, and the limits of the process are divided
 * among them, rounded up. The supervisor serves the metrics.
 */
export function workerConfig(
  config: Config,
  { workers, port }: { readonly workers: number; readonly port: number },
): Config {
  const { limits } = config;
  function share(limit: number): number {
    return Math.ceil(limit / workers);
  }
  return {
    ...config,
    listen: { ...config.listen, port },
    limits: {
      ...limits,
      concurrentExchanges: share(limits.concurrentExchanges),
      exchangesPerSandbox: share(limits.exchangesPerSandbox),
      tunnels: share(limits.tunnels),
      exchangesPerClient: share(limits.exchangesPerClient),
      tunnelsPerClient: share(limits.tunnelsPerClient),
      bufferBudgetBytes: share(limits.bufferBudgetBytes),
      refusalsPerMinute: share(limits.refusalsPerMinute),
    },
    metrics: undefined,
    workers: 1,
  };
}

/**
 * The port to listen on, after a check that it is free. The workers cannot find that out themselves: since they share
 * the port, they could also share it with another gateway of the same user, which would get some of the connections.
 *
 * @throws {Error} If it cannot listen on the address: see {@linkcode explainListenError}.
 */
function freePort({ hostname, port }: ListenAddress): number {
  using listener = Deno.listen({ hostname, port });
  return listener.addr.port;
}

/**
 * Resolves when all workers have ended, or one has failed. A failed worker is not restarted: an error that gets this far
 * ends a single-threaded gateway too, and the process manager knows how often to try again.
 */
function outcomeOf(workers: readonly WorkerHandle[]): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  for (const { ended } of workers) {
    ended.then((outcome) => {
      if (outcome.reason !== undefined) resolve(outcome);
    });
  }
  Promise.all(workers.map(({ ended }) => ended)).then((outcomes) => {
    const forced = outcomes.find(({ code }) => code !== EXIT_CODES.stopped);
    resolve(forced ?? { code: EXIT_CODES.stopped });
  });
  return promise;
}

/**
 * The sum of all workers' metrics.
 *
 * @throws {Error} If a worker does not answer in time: a partial sum would look like a restart.
 */
async function renderMetrics(
  workers: readonly WorkerHandle[],
  looks: boolean,
): Promise<string> {
  const asked = workers.map((worker) => worker.renderMetrics(looks));
  return sumExpositions(await allInTime(asked));
}

/**
 * The workers' parts of the status page, put together.
 *
 * @throws {Error} If a worker does not answer in time.
 */
async function reportOf(
  workers: readonly WorkerHandle[],
  troubles: SuperviseOptions["troubles"],
): Promise<StatusReport> {
  const reports = await allInTime(workers.map((worker) => worker.report()));
  const own = { sandboxes: [], limits: [], troubles: troubles.list() };
  return mergeReports([own, ...reports]);
}

/** @throws {Error} If one of them is not there in time. */
async function allInTime<T>(asked: readonly Promise<T>[]): Promise<T[]> {
  let answers: T[] | undefined;
  await fulfilsWithin(
    Promise.all(asked).then((all) => void (answers = all)),
    METRICS_TIMEOUT_MS,
  );
  if (answers === undefined) {
    throw new Error("Cannot sum the metrics: a worker is busy");
  }
  return answers;
}
