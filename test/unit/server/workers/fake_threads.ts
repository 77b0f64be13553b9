/** Fake workers, driven by the test. */
import type {
  FromWorker,
  ToWorker,
  WorkerStart,
} from "../../../../src/server/workers/messages.ts";
import type { Thread } from "../../../../src/server/workers/worker_thread.ts";

/** A worker's end of its channel. */
export interface FakeWorker {
  readonly start: WorkerStart;
  /** The messages received so far. */
  readonly heard: ToWorker[];
  /** Called with each further message. */
  onMessage: (message: ToWorker) => void;
  send(message: FromWorker): void;
  /** Ends it as an uncaught error does. */
  fail(error: Error): void;
  isTerminated: boolean;
}

/** Fake threads, which do nothing by themselves. */
export interface FakeThreads {
  readonly workers: FakeWorker[];
  readonly startThread: (entry: string, start: WorkerStart) => Thread;
}

/** Creates the factory of fake threads. */
export function fakeThreads(): FakeThreads {
  const workers: FakeWorker[] = [];
  return {
    workers,
    startThread(_entry, start) {
      const { port1: port, port2 } = new MessageChannel();
      const failed = Promise.withResolvers<never>();
      const worker: FakeWorker = {
        start,
        heard: [],
        onMessage: () => {},
        send: (message) => port2.postMessage(message),
        fail: failed.reject,
        isTerminated: false,
      };
      port2.onmessage = ({ data }) => {
        worker.heard.push(data);
        worker.onMessage(data);
      };
      workers.push(worker);
      return {
        port,
        failed: failed.promise,
        terminate() {
          worker.isTerminated = true;
          port.close();
          port2.close();
        },
      };
    },
  };
}
