/** Creates what bounds the memory of the client's leg. */
import type { Config } from "../../config/config.ts";
import type { Background } from "../../lib/background.ts";
import { ByteBudget } from "../../lib/byte_budget.ts";
import { createReportLimit } from "../../lib/cooldown.ts";
import { memoryLimit } from "../../lib/memory_limit.ts";
import { loggerFor } from "../../observability/log.ts";
import type { BufferKind } from "../../observability/metrics/facts.ts";
import type { Metrics } from "../../observability/metrics/metrics.ts";
import { MemoryGuard } from "./guard.ts";
import {
  BUFFER_ALLOWANCE_BYTES,
  createExpectedBytes,
  createNativeBytes,
} from "./native_memory.ts";

interface GuardParts {
  readonly metrics: Pick<Metrics, "bufferEvicted">;
  readonly budget: ByteBudget<BufferKind>;
  readonly background: Background;
  readonly inFlight: { readonly count: number; readonly tunnelCount: number };
}

/** Creates the budget of everything that is buffered for clients and apps. */
export function createBudget(
  { bufferBudgetBytes }: Pick<Config["limits"], "bufferBudgetBytes">,
  metrics: Pick<Metrics, "bufferEvicted">,
): ByteBudget<BufferKind> {
  const logger = loggerFor("memory");
  const shouldReport = createReportLimit(() => performance.now());
  return new ByteBudget({
    limitBytes: bufferBudgetBytes,
    allowanceBytes: BUFFER_ALLOWANCE_BYTES,
    onEvicted(kind, bytes) {
      metrics.bufferEvicted(kind);
      if (!shouldReport(kind)) return;
      const message =
        "BUFFER_BUDGET_BYTES are used up: ended the one that held most";
      logger.warn(message, { kind, bytes });
    },
  });
}

/** Watches over what Deno buffers of clients' messages, which is to stay within the budget, or a share of the memory. */
export function createMemoryGuard(
  { bufferBudgetBytes }: Pick<Config["limits"], "bufferBudgetBytes">,
  { metrics, budget, background, inFlight }: GuardParts,
): MemoryGuard {
  const logger = loggerFor("memory");
  const shouldReport = createReportLimit(() => performance.now());
  const nativeBytes = createNativeBytes();
  const expectedBytes = createExpectedBytes({
    startBytes: nativeBytes(),
    bufferBudgetBytes,
    limitBytes: memoryLimit(),
  });
  return new MemoryGuard({
    nativeBytes,
    expectedBytes: () =>
      expectedBytes({
        exchanges: inFlight.count - inFlight.tunnelCount,
        tunnels: inFlight.tunnelCount,
        tlsConnections: budget.holders, // every such connection is one
      }),
    onDropped() {
      metrics.bufferEvicted("unseen");
      if (!shouldReport("unseen")) return;
      logger.warn(
        "memory grows by what Deno has read: dropped uploads or WebSockets of the client that has most",
      );
    },
    background,
  });
}
