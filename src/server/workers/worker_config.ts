/** Derives the configuration of each of several workers. */
import type { Config } from "../../config/config.ts";

/**
 * The configuration of one of `workers` workers: all of them listen on `port`, and the limits of the process are divided
 * among them, rounded up. The supervisor serves the metrics.
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
    metrics: undefined,
    workers: 1,
  };
}
