/** A service's life: start, serve, drain on the first signal, end. */
import type { Config } from "../config.ts";
import type { Logger } from "../observability/log.ts";
import type { Handler } from "../http/dispatch.ts";
import { listen } from "./listen.ts";

/** What is run: the part of a service that its life needs. */
export interface Runnable {
  readonly fetch: Handler;
  drain(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Serves until `stop` aborts, then lets what is in flight finish; a second abort, `kill`, ends that at once. */
export async function run(
  service: Runnable,
  config: Pick<Config, "listen" | "limits">,
  signals: { stop: AbortSignal; kill: AbortSignal; logger: Logger },
): Promise<void> {
  const { stop, kill, logger } = signals;
  const listener = listen(service.fetch, config.listen);
  logger.info("listening on {hostname}:{port}", {
    hostname: listener.hostname,
    port: listener.port,
  });
  await aborted(stop);
  logger.info("draining");
  await Promise.race([
    service.drain(config.limits.shutdownTimeoutMs),
    aborted(kill),
  ]);
  await service.close();
  await listener.close();
  logger.info("stopped");
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
