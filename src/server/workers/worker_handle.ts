import { describeError } from "../../lib/describe_error.ts";
import type { StreamLineWriter } from "../../observability/line_writer.ts";
import type { Logger } from "../../observability/log.ts";
import { EXIT_CODES, type Outcome } from "../exit.ts";
import type { EndSignal } from "../signals.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import type { Thread } from "./thread.ts";

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
  renderMetrics(): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#metricsRequests.push(resolve);
    this.#send({ kind: "render_metrics" });
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
