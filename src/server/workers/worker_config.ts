/** What each of several workers is configured with. */
import type { Config } from "../../config.ts";

/**
 * One worker's configuration: all of them listen on `port`, and what the process as a whole may hold is divided, so
 * that the limits still are what they say. The supervisor serves the metrics.
 */
export function workerConfig(
  config: Config,
  { workers, port }: { readonly workers: number; readonly port: number },
): Config {
  const { limits } = config;
  function share(limit: number): number {
    return Math.ceil(limit / workers);
  }
  return {
    ...config,
    listen: { ...config.listen, port },
    limits: {
      ...limits,
      concurrentExchanges: share(limits.concurrentExchanges),
      exchangesPerSandbox: share(limits.exchangesPerSandbox),
      tunnels: share(limits.tunnels),
      refusalsPerMinute: share(limits.refusalsPerMinute),
    },
    metricsPort: undefined,
    workers: 1,
  };
}
