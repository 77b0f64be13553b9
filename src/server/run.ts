/** A service's life: serve, drain on the first signal, end. */
import type { Config } from "../config.ts";
import type { Handler } from "../http/dispatch.ts";
import type { Logger } from "../observability/log.ts";
import { listen } from "./listen.ts";

/** What is run: the part of a service that its life needs. */
export interface Runnable {
  readonly fetch: Handler;
  drain(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

/** How a run is told to end. */
export interface RunControls {
  /** Ends it when what is in flight is over. */
  readonly stop: AbortController;
  /** Ends it at once. */
  readonly kill: AbortController;
  readonly logger: Logger;
}

/**
 * Serves until it is told to stop, and resolves when everything has ended.
 *
 * @throws {Deno.errors.AddrInUse} If the port is taken.
 */
export async function run(
  service: Runnable,
  config: Pick<Config, "listen" | "limits">,
  { stop, kill, logger }: RunControls,
): Promise<void> {
  const listener = listen(service.fetch, config.listen);
  const { hostname, port } = listener;
  logger.info("listening", { hostname, port });
  await aborted(stop.signal);
  logger.info("draining");
  await Promise.race([
    service.drain(config.limits.shutdownTimeoutMs),
    aborted(kill.signal),
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
