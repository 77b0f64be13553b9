/**
 * More than one core: the first thread supervises, and others serve, each a whole gateway on the one port. The
 * supervisor hears signals, writes the log, tells metrics and ends the process.
 */
import { happens } from "../../lib/happens.ts";
import type { Config } from "../../config.ts";
import { describeError } from "../../lib/describe_error.ts";
import type { SharedLineWriter } from "../../observability/line_writer.ts";
import { sumExpositions } from "../../observability/metrics/sum_expositions.ts";
import type { EventLog } from "../event_log.ts";
import type { ListenAddress } from "../http_server.ts";
import { listenForMetrics } from "../metrics_server.ts";
import { EXIT_CODES, explainListenError, type Outcome } from "../outcome.ts";
import { type AddSignalListener, listenForEnd } from "../signals.ts";
import { type AttendedWorker, attendWorker } from "./attend_worker.ts";
import { startThread, type Thread, whyNoThread } from "./thread.ts";
import type { WorkerStart } from "./messages.ts";
import { workerConfig } from "./worker_config.ts";

/** Parts of {@linkcode supervise}. */
export interface SuperviseOptions {
  readonly config: Config;
  /** How many threads serve. */
  readonly workers: number;
  readonly version: string;
  /** URL of the module that a worker runs. */
  readonly entry: string;
  readonly addSignalListener: AddSignalListener;
  readonly lines: SharedLineWriter;
  readonly log: EventLog;
  readonly startThread?: (entry: string, start: WorkerStart) => Thread;
  /** Real time, ms, unless given. */
  readonly now?: () => number;
  /** How long all workers may take to tell what they counted, ms. @default {2000} */
  readonly countTimeoutMs?: number;
}

const COUNT_TIMEOUT_MS = 2000;

/** How long workers that are told to end at once may take to send their last lines, ms. */
const LAST_LINES_MS = 1000;

/**
 * Serves until it is told to stop; resolves when every worker has ended, or at once when one has failed or it is told
 * twice. Never rejects.
 */
export async function supervise(options: SuperviseOptions): Promise<Outcome> {
  const { config, entry, addSignalListener } = options;
  const { now = () => performance.now(), countTimeoutMs } = options;
  const { second } = listenForEnd(addSignalListener, now);
  const reason = await whyNoThread(entry);
  if (reason !== undefined) return { code: EXIT_CODES.misconfigured, reason };
  let port: number;
  try {
    port = freePort(config.listen);
  } catch (error) {
    const reason = explainListenError(error, config.listen);
    return { code: EXIT_CODES.failed, reason };
  }

  await using ending = new AsyncDisposableStack();
  const crew: AttendedWorker[] = [];
  try {
    const metrics = listenForMetrics(
      config,
      () => countAll(crew, countTimeoutMs ?? COUNT_TIMEOUT_MS),
    );
    ending.defer(() => metrics?.close(0));
  } catch (error) {
    return { code: EXIT_CODES.failed, reason: `${describeError(error)}.` };
  }
  crew.push(...startCrew(port, options));
  ending.defer(() => crew.forEach((worker) => worker.terminate()));
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    addSignalListener(
      signal,
      () => crew.forEach((worker) => worker.signal(signal)),
    );
  }
  const ended = endOfAll(crew);
  const forced = second.then(async (signal): Promise<Outcome> => {
    await happens(ended, LAST_LINES_MS);
    return { code: EXIT_CODES[signal] };
  });
  return await Promise.race([ended, forced]);
}

function startCrew(
  port: number,
  options: SuperviseOptions,
): AttendedWorker[] {
  const { workers, version, entry, lines, log } = options;
  const start = options.startThread ?? startThread;
  const config = workerConfig(options.config, { workers, port });
  return Array.from({ length: workers }, (_, index) => {
    const number = index + 1;
    const thread = start(entry, { number, version, config });
    return attendWorker({ thread, number, lines, log });
  });
}

/**
 * The port to listen on, which is free. The workers' own attempts cannot tell: a port that is shared can be shared with
 * another gateway of the same user, which would get a part of the connections.
 */
function freePort({ hostname, port }: ListenAddress): number {
  using listener = Deno.listen({ hostname, port });
  return listener.addr.port;
}

/**
 * Resolves when all have ended, or one has failed. One that failed is not started anew: what comes so far ends a
 * gateway of one thread too, and whoever started the process knows how often to try again.
 */
function endOfAll(crew: readonly AttendedWorker[]): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  for (const { ended } of crew) {
    ended.then((outcome) => {
      if (outcome.reason !== undefined) resolve(outcome);
    });
  }
  Promise.all(crew.map(({ ended }) => ended)).then((outcomes) => {
    const forced = outcomes.find(({ code }) => code !== EXIT_CODES.stopped);
    resolve(forced ?? { code: EXIT_CODES.stopped });
  });
  return promise;
}

/** Half of the counters would look like a restart: rather none than those. */
async function countAll(
  crew: readonly AttendedWorker[],
  timeoutMs: number,
): Promise<string> {
  let texts: string[] | undefined;
  const counting = Promise.all(crew.map((worker) => worker.count()));
  await happens(
    counting.then((counted) => void (texts = counted)),
    timeoutMs,
  );
  if (texts === undefined) throw new Error("Cannot count: a worker is busy");
  return sumExpositions(texts);
}
