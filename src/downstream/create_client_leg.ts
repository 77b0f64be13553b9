/** Creates what all exchanges share on the client's leg. */
import type { Config } from "../config/config.ts";
import type { Background } from "../lib/background.ts";
import { createReportLimit } from "../lib/cooldown.ts";
import { memoryLimit } from "../lib/memory_limit.ts";
import { loggerFor } from "../observability/log.ts";
import type { BufferKind } from "../observability/metrics/facts.ts";
import type { Metrics } from "../observability/metrics/metrics.ts";
import { garbageCollector } from "../platform/collect_garbage.ts";
import { ByteBudget } from "../stream/byte_budget.ts";
import { LeakedSockets } from "./http/leaked_sockets.ts";
import { ReadSizes } from "./http/read_sizes.ts";
import type { ClientLeg } from "./http/reply.ts";
import { UntakenAnswers } from "./http/untaken.ts";
import { GarbageWatch } from "./memory/garbage_watch.ts";
import { MemoryGuard } from "./memory/guard.ts";
import {
  BUFFER_ALLOWANCE_BYTES,
  bytesBeyond,
  createNativeBytes,
  expectedBytes,
  MAX_USED_SHARE,
  maxIdleTlsConnections,
  USED_SHARE,
} from "./memory/native_memory.ts";
import type { TlsLimits } from "./tls/listen_tls.ts";

/** What an answer of the gateway's own takes of the budget until its client has taken it, bytes: measured, with the longest. */
const UNTAKEN_BYTES = 128 * 1024;

interface ClientLegParts {
  readonly metrics: Pick<Metrics, "bufferEvicted">;
  readonly background: Background;
  readonly inFlight: {
    readonly count: number;
    readonly queued: number;
    readonly tunnelCount: number;
  };
  readonly now: () => number;
  /** True if nothing else is in the process, so that its size tells what clients take. */
  readonly ownsProcess: boolean;
}

// deno-lint-ignore explicit-module-boundary-types -- its parts, by their names
export function createClientLeg(
  { bufferBudgetBytes }: Pick<Config["limits"], "bufferBudgetBytes">,
  { metrics, background, inFlight, now, ownsProcess }: ClientLegParts,
) {
  const logger = loggerFor("memory");
  const limitBytes = ownsProcess ? memoryLimit() : undefined;
  const shouldReport = createReportLimit(() => performance.now());
  function onEvicted(kind: BufferKind, message: string, facts = {}): void {
    metrics.bufferEvicted(kind);
    if (shouldReport(kind)) logger.warn(message, facts);
  }
  /** Of everything that is buffered for clients and apps. */
  const budget = new ByteBudget<BufferKind>({
    limitBytes: bufferBudgetBytes,
    allowanceBytes: BUFFER_ALLOWANCE_BYTES,
    onEvicted(kind, bytes) {
      const message =
        "BUFFER_BUDGET_BYTES are used up: ended the one that held most";
      onEvicted(kind, message, { kind, bytes });
    },
  });
  /** Watches over what Deno buffers of clients' messages, which is to stay within the budget, or a share of the memory. */
  function createMemoryGuard(): MemoryGuard {
    const nativeBytes = createNativeBytes();
    const facts = { startBytes: nativeBytes(), bufferBudgetBytes, limitBytes };
    function hiddenOverBytes(): number {
      return nativeBytes() - expectedBytes({
        exchanges: inFlight.count - inFlight.queued - inFlight.tunnelCount,
        tunnels: inFlight.tunnelCount,
        tlsConnections: budget.holders, // every such connection is one
      }, facts);
    }
    return new MemoryGuard({
      overBytes: () =>
        Math.max(hiddenOverBytes(), bytesBeyond(USED_SHARE, limitBytes)),
      spareBytes: () => -bytesBeyond(MAX_USED_SHARE, limitBytes),
      isFull: () => bytesBeyond(1, limitBytes) > 0,
      onDropped: () =>
        onEvicted(
          "unseen",
          "memory grows by what Deno has read: dropped uploads or WebSockets of the clients that have most",
        ),
      background,
    });
  }
  function createGarbageWatch(): GarbageWatch | undefined {
    if (limitBytes === undefined) return undefined;
    const collect = garbageCollector();
    if (collect === undefined) return undefined;
    const usedBytes = () => Deno.memoryUsage().rss;
    return new GarbageWatch({ usedBytes, limitBytes, collect });
  }
  const leakedSockets = new LeakedSockets(now, () => {
    if (!shouldReport("sockets")) return;
    const message =
      "too many sockets were lost or may be: responses are refused while their requests are still being sent";
    loggerFor("gateway").warn(message, { lost: leakedSockets.count });
  });
  const untaken = new UntakenAnswers({
    max: Math.floor(bufferBudgetBytes / UNTAKEN_BYTES),
    now: () => performance.now(),
    onClosed: () =>
      onEvicted("answer", "closed connections that take nothing of answers"),
  });
  return {
    budget,
    untaken,
    tlsLimits: {
      buffers: budget,
      maxIdleConnections: maxIdleTlsConnections(limitBytes),
    },
    memoryGuard: ownsProcess ? createMemoryGuard() : undefined,
    garbageWatch: createGarbageWatch(),
    leakedSockets,
    readSizes: new ReadSizes(),
  } satisfies ClientLeg & {
    readonly tlsLimits: TlsLimits;
    readonly garbageWatch: GarbageWatch | undefined;
  };
}
