/** Creates what all exchanges share on the client's leg. */
import type { Config } from "../config/config.ts";
import type { Background } from "../lib/background.ts";
import { ByteBudget } from "../lib/byte_budget.ts";
import { createReportLimit } from "../lib/cooldown.ts";
import { memoryLimit } from "../lib/memory_limit.ts";
import { loggerFor } from "../observability/log.ts";
import type { BufferKind } from "../observability/metrics/facts.ts";
import type { Metrics } from "../observability/metrics/metrics.ts";
import { createLeakedSockets } from "./http/leaked_sockets.ts";
import { ReadSizes } from "./http/read_sizes.ts";
import type { ClientLeg } from "./http/reply.ts";
import { MemoryGuard } from "./memory/guard.ts";
import {
  BUFFER_ALLOWANCE_BYTES,
  createBytesBeyond,
  createExpectedBytes,
  createNativeBytes,
  MAX_USED_SHARE,
  USED_SHARE,
} from "./memory/native_memory.ts";

interface ClientLegParts {
  readonly metrics: Pick<Metrics, "bufferEvicted">;
  readonly background: Background;
  readonly inFlight: { readonly count: number; readonly tunnelCount: number };
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** True if nothing else is in the process, so that its size tells what clients take. */
  readonly ownsProcess: boolean;
}

/** Creates it. */
// deno-lint-ignore explicit-module-boundary-types -- its parts, by their names
export function createClientLeg(
  limits: Pick<Config["limits"], "bufferBudgetBytes">,
  { ownsProcess, now, ...parts }: ClientLegParts,
) {
  const budget = createBudget(limits, parts.metrics);
  return {
    budget,
    memoryGuard: ownsProcess
      ? createMemoryGuard(limits, { ...parts, budget })
      : undefined,
    leakedSockets: createLeakedSockets(now),
    readSizes: new ReadSizes(),
  } satisfies ClientLeg;
}

/** Creates the budget of everything that is buffered for clients and apps. */
function createBudget(
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

type GuardParts =
  & Pick<ClientLegParts, "metrics" | "background" | "inFlight">
  & { readonly budget: ByteBudget<BufferKind> };

/** Watches over what Deno buffers of clients' messages, which is to stay within the budget, or a share of the memory. */
function createMemoryGuard(
  { bufferBudgetBytes }: Pick<Config["limits"], "bufferBudgetBytes">,
  { metrics, budget, background, inFlight }: GuardParts,
): MemoryGuard {
  const logger = loggerFor("memory");
  const shouldReport = createReportLimit(() => performance.now());
  const nativeBytes = createNativeBytes();
  const limitBytes = memoryLimit();
  const expectedBytes = createExpectedBytes({
    startBytes: nativeBytes(),
    bufferBudgetBytes,
    limitBytes,
  });
  function hiddenOverBytes(): number {
    return nativeBytes() - expectedBytes({
      exchanges: inFlight.count - inFlight.tunnelCount,
      tunnels: inFlight.tunnelCount,
      tlsConnections: budget.holders, // every such connection is one
    });
  }
  const usedOverBytes = createBytesBeyond(USED_SHARE, limitBytes);
  const dangerBytes = createBytesBeyond(MAX_USED_SHARE, limitBytes);
  const beyondLimitBytes = createBytesBeyond(1, limitBytes);
  return new MemoryGuard({
    overBytes: () => Math.max(hiddenOverBytes(), usedOverBytes()),
    spareBytes: () => -dangerBytes(),
    isFull: () => beyondLimitBytes() > 0,
    onDropped() {
      metrics.bufferEvicted("unseen");
      if (!shouldReport("unseen")) return;
      logger.warn(
        "memory grows by what Deno has read: dropped uploads or WebSockets of the clients that have most",
      );
    },
    background,
  });
}
