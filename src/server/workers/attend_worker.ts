/** The supervisor's end of one worker. */
import { describeError } from "../../lib/describe_error.ts";
import type { SharedLineWriter } from "../../observability/line_writer.ts";
import type { EventLog } from "../event_log.ts";
import { EXIT_CODES, type Outcome } from "../outcome.ts";
import type { EndSignal } from "../signals.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import type { Thread } from "./thread.ts";

/** A worker, as the supervisor sees it. */
export interface AttendedWorker {
  /** How it ended; never rejects. */
  readonly ended: Promise<Outcome>;
  signal(signal: EndSignal): void;
  /** What it has counted, in Prometheus' text format; pending for as long as it is too busy to answer. */
  count(): Promise<string>;
  terminate(): void;
}

/** Parts of {@linkcode attendWorker}. */
export interface AttendWorkerOptions {
  readonly thread: Thread;
  readonly number: number;
  /** Where its lines go. */
  readonly lines: Pick<SharedLineWriter, "pass">;
  readonly log: EventLog;
}

/** Listens to a worker. */
export function attendWorker(
  { thread, number, lines, log }: AttendWorkerOptions,
): AttendedWorker {
  const { port } = thread;
  const ended = Promise.withResolvers<Outcome>();
  const questions: ((metrics: string) => void)[] = [];

  function send(message: ToWorker): void {
    port.postMessage(message);
  }

  port.onmessage = ({ data: message }: MessageEvent<FromWorker>) => {
    switch (message.kind) {
      case "lines":
        lines.pass(message.batch).then(() => send({ kind: "written" }));
        break;
      case "counted":
        questions.shift()?.(message.metrics);
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
    count() {
      const { promise, resolve } = Promise.withResolvers<string>();
      questions.push(resolve);
      send({ kind: "count" });
      return promise;
    },
    terminate: thread.terminate,
  };
}
