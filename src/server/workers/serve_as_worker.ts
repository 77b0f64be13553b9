/** The lifecycle of a worker: that of a gateway process, controlled by messages instead of signals. */
import { StreamLineWriter } from "../../observability/line_writer.ts";
import { loggerFor, startLogging } from "../../observability/log.ts";
import { RecentTroubles } from "../../observability/status/recent_troubles.ts";
import {
  type CreateService,
  type GatewayService,
  reportOf,
  run,
} from "../run.ts";
import type { AddSignalListener } from "../signals.ts";
import type { FromWorker, ToWorker, WorkerStart } from "./messages.ts";

/** Dependencies of {@linkcode serveAsWorker}. */
export interface ServeAsWorkerOptions extends WorkerStart {
  readonly createService: CreateService;
}

/** Serves until the supervisor, at the other end of `port`, sends a signal to stop. */
export async function serveAsWorker(
  port: MessagePort,
  { number, version, config, createService }: ServeAsWorkerOptions,
): Promise<void> {
  function send(message: FromWorker): void {
    port.postMessage(message);
  }

  const troubles = new RecentTroubles();
  let written = Promise.withResolvers<void>();
  const lines = new StreamLineWriter(
    new WritableStream({
      write(batch) {
        written = Promise.withResolvers();
        send({ kind: "lines", batch });
        // Lines accumulate meanwhile, as they do during a system call.
        return written.promise;
      },
    }),
  );
  const stopLogging = await startLogging(config.log, lines, [
    troubles.sink,
  ]);

  const listeners: Parameters<AddSignalListener>[] = [];
  let service: GatewayService | undefined;
  const running = run({
    config,
    version,
    lines,
    createService: async (...given) => service = await createService(...given),
    addSignalListener: (...listener) => listeners.push(listener),
    isWorker: true,
    troubles,
    log: loggerFor("server").with({ worker: number }),
  });
  // Set only now: the port queues messages that arrived earlier.
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
      case "render_metrics":
        send({
          kind: "metrics",
          metrics: service?.renderMetrics(message.looks) ?? "",
        });
        break;
      case "report":
        send({
          kind: "report",
          report: service === undefined
            ? { sandboxes: [], limits: [], troubles: troubles.list() }
            : reportOf(service, troubles),
        });
    }
  };
  const outcome = await running;
  await stopLogging();
  send({ kind: "ended", outcome });
}
