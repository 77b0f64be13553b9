/** The supervisor's end of one worker. */
import { describeError } from "../../lib/describe_error.ts";
import type { SharedLineWriter } from "../../observability/line_writer.ts";
import type { Logger } from "../../observability/log.ts";
import { EXIT_CODES, type Outcome } from "../exit.ts";
import type { EndSignal } from "../signals.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import type { Thread } from "./thread.ts";

/** A worker, as the supervisor sees it. */
export interface WorkerHandle {
  /** Resolves to how it ended; never rejects. */
  readonly ended: Promise<Outcome>;
  /** Forwards a signal. */
  signal(signal: EndSignal): void;
  /** Its metrics in Prometheus' text format; pending as long as it is too busy to answer. */
  renderMetrics(): Promise<string>;
  /** Stops it at once. */
  terminate(): void;
}

/** Dependencies of {@linkcode createWorkerHandle}. */
export interface WorkerHandleOptions {
  readonly thread: Thread;
  /** The worker's number in logs, from 1. */
  readonly number: number;
  /** Where its log lines go. */
  readonly lines: Pick<SharedLineWriter, "writeBatch">;
  readonly log: Logger;
}

/** Takes charge of a worker: writes its log lines, and learns how it ends. */
export function createWorkerHandle(
  { thread, number, lines, log }: WorkerHandleOptions,
): WorkerHandle {
  const { port } = thread;
  const ended = Promise.withResolvers<Outcome>();
  /** Requests for metrics without a response yet, in the order in which they were sent. */
  const pending: ((metrics: string) => void)[] = [];

  function send(message: ToWorker): void {
    port.postMessage(message);
  }

  port.onmessage = ({ data: message }: MessageEvent<FromWorker>) => {
    switch (message.kind) {
      case "lines":
        lines.writeBatch(message.batch).then(() => send({ kind: "written" }));
        break;
      case "metrics":
        pending.shift()?.(message.metrics);
        break;
      case "ended":
        ended.resolve(message.outcome);
    }
  };
  thread.failed.catch((error) => {
    const reason = describeError(error);
    log.error("worker failed", { worker: number, reason });
    ended.resolve({
      code: EXIT_CODES.failed,
      reason: `Worker ${number} failed: ${reason}.`,
    });
  });

  return {
    ended: ended.promise,
    signal: (signal) => send({ kind: "signal", signal }),
    renderMetrics() {
      const { promise, resolve } = Promise.withResolvers<string>();
      pending.push(resolve);
      send({ kind: "render_metrics" });
      return promise;
    },
    terminate: thread.terminate,
  };
}
