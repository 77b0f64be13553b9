/** A worker thread, as its supervisor sees it. */
import { describeError } from "../../lib/describe_error.ts";
import type { StreamLineWriter } from "../../observability/line_writer.ts";
import type { Logger } from "../../observability/log.ts";
import type { StatusReport } from "../../observability/status/report.ts";
import { EXIT_CODES, type Outcome } from "../exit.ts";
import type { EndSignal } from "../signals.ts";
import type { FromWorker, ToWorker, WorkerStart } from "./messages.ts";

/** A thread that is starting or running. */
export interface Thread {
  /** This end of the channel to it. */
  readonly port: MessagePort;
  /** Rejects when an uncaught error has ended the thread; pending otherwise. */
  readonly failed: Promise<never>;
  /** Ends it at once. */
  terminate(): void;
}

/** Starts a thread; `entry` is the URL of the module that it runs. */
export function startThread(entry: string, start: WorkerStart): Thread {
  const worker = new Worker(entry, {
    type: "module",
    name: `worker ${start.number}`,
  });
  const { port1: port, port2 } = new MessageChannel();
  worker.postMessage({ start, port: port2 }, [port2]);
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {}); // not an unhandled rejection if nobody awaits it
  worker.addEventListener("error", (event) => {
    event.preventDefault(); // otherwise it ends this thread too
    failed.reject(new Error(event.message));
  });
  return {
    port,
    failed: failed.promise,
    terminate() {
      port.close();
      worker.terminate();
    },
  };
}

/** Dependencies of a {@linkcode WorkerHandle}. */
export interface WorkerHandleOptions {
  /** The worker's number in logs, from 1. */
  readonly number: number;
  /** Where its log lines go. */
  readonly lines: Pick<StreamLineWriter, "writeBatch">;
  readonly log: Logger;
}

/** The supervisor's end of one worker: writes its log lines, and learns how it ends. */
export class WorkerHandle {
  readonly #thread: Thread;
  readonly #ended = Promise.withResolvers<Outcome>();
  /** Requests for metrics without a response yet, in the order in which they were sent. */
  readonly #metricsRequests: ((metrics: string) => void)[] = [];
  /** The same for reports. */
  readonly #reportRequests: ((report: StatusReport) => void)[] = [];

  constructor(thread: Thread, { number, lines, log }: WorkerHandleOptions) {
    this.#thread = thread;
    thread.port.onmessage = ({ data: message }: MessageEvent<FromWorker>) => {
      switch (message.kind) {
        case "lines":
          lines.writeBatch(message.batch)
            .then(() => this.#send({ kind: "written" }));
          break;
        case "metrics":
          this.#metricsRequests.shift()?.(message.metrics);
          break;
        case "report":
          this.#reportRequests.shift()?.(message.report);
          break;
        case "ended":
          this.#ended.resolve(message.outcome);
      }
    };
    thread.failed.catch((error) => {
      const reason = describeError(error);
      log.error("worker failed", { worker: number, reason });
      this.#ended.resolve({
        code: EXIT_CODES.failed,
        reason: `Worker ${number} failed: ${reason}.`,
      });
    });
  }

  /** Resolves to how it ended; never rejects. */
  get ended(): Promise<Outcome> {
    return this.#ended.promise;
  }

  /** Forwards a signal. */
  signal(signal: EndSignal): void {
    this.#send({ kind: "signal", signal });
  }

  /** Its metrics in Prometheus' text format; pending as long as it is too busy to answer. */
  renderMetrics(looks: boolean): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#metricsRequests.push(resolve);
    this.#send({ kind: "render_metrics", looks });
    return promise;
  }

  /** Its part of the status page; pending as long as it is too busy to answer. */
  report(): Promise<StatusReport> {
    const { promise, resolve } = Promise.withResolvers<StatusReport>();
    this.#reportRequests.push(resolve);
    this.#send({ kind: "report" });
    return promise;
  }

  /** Stops it at once. */
  terminate(): void {
    this.#thread.terminate();
  }

  #send(message: ToWorker): void {
    this.#thread.port.postMessage(message);
  }
}
