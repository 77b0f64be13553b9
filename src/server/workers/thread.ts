/** Worker threads of this process. */
import type { WorkerStart } from "./messages.ts";

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
