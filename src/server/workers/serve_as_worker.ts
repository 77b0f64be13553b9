/** A worker's life: a gateway's, told by messages what a process is told by the system. */
import type { Config } from "../../config.ts";
import {
  createLineWriter,
  type LineWriter,
} from "../../observability/line_writer.ts";
import { loggerFor, startLogging } from "../../observability/log.ts";
import { run, type Runnable } from "../run.ts";
import type { AddSignalListener } from "../signals.ts";
import type { FromWorker, ToWorker, WorkerStart } from "./messages.ts";

/** Parts of {@linkcode serveAsWorker}. */
export interface ServeAsWorkerOptions extends WorkerStart {
  readonly createService: (
    config: Config,
    options: { readonly version: string; readonly lines: LineWriter },
  ) => Promise<Runnable>;
}

/** Serves until the supervisor, at the other end of `port`, says that it is time to end. */
export async function serveAsWorker(
  port: MessagePort,
  { number, version, config, createService }: ServeAsWorkerOptions,
): Promise<void> {
  function send(message: FromWorker): void {
    port.postMessage(message);
  }

  let written = Promise.withResolvers<void>();
  const lines = createLineWriter(
    new WritableStream({
      write(batch) {
        written = Promise.withResolvers();
        send({ kind: "lines", batch });
        // Lines gather meanwhile, as they do behind a system call.
        return written.promise;
      },
    }),
  );
  const stopLogging = await startLogging(config.log, lines);

  const listeners: Parameters<AddSignalListener>[] = [];
  let service: Runnable | undefined;
  const running = run({
    config,
    createService: async () =>
      service = await createService(config, { version, lines }),
    addSignalListener: (...listener) => listeners.push(listener),
    reusePort: true,
    log: loggerFor("server").with({ worker: number }),
  });
  // What was sent earlier waits in the port.
  port.onmessage = ({ data: message }: MessageEvent<ToWorker>) => {
    switch (message.kind) {
      case "signal":
        for (const [signal, listener] of listeners) {
          if (signal === message.signal) listener();
        }
        break;
      case "written":
        written.resolve();
        break;
      case "count":
        send({ kind: "counted", metrics: service?.renderMetrics() ?? "" });
    }
  };
  const outcome = await running;
  await stopLogging();
  send({ kind: "ended", outcome });
}
