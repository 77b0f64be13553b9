import type { Config } from "../config/config.ts";
import { afterTimer } from "../lib/after.ts";
import type { Logger } from "../observability/log.ts";
import { Bulkheads } from "../proxy/bulkheads.ts";
import { isAlive } from "../resolver/refusals/probe.ts";
import type { UpstreamClient } from "../upstream/http1/client.ts";

/** The bulkheads between runners. */
export function createBulkheads(
  { waitingPerRunner: limit, concurrentExchanges: total }: Config["limits"],
  upstream: UpstreamClient,
  logger: Logger,
): Bulkheads {
  return new Bulkheads({
    name: "MAX_WAITING_PER_RUNNER",
    limit,
    queueName: "QUEUED_PER_RUNNER",
    total,
    now: Date.now,
    after: afterTimer,
    probe: (destination) => isAlive(upstream, destination),
    onChange({ origin: runner, waiting, isUnresponsive }) {
      const message = isUnresponsive
        ? "a runner answers nobody"
        : "the runner answers again";
      logger.warn(message, { runner, waiting });
    },
  });
}
