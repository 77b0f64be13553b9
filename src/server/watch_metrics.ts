/** What the metrics are read from, where nobody counts as it happens. */
import type { DurableStore } from "../cache/store.ts";
import type { ReadinessChecks } from "../control/readiness.ts";
import type { createClientLeg } from "../downstream/create_client_leg.ts";
import { areDescriptorsShort } from "../lib/descriptors.ts";
import type { LineWriter } from "../observability/line_writer.ts";
import type { MetricSources } from "../observability/metrics/facts.ts";
import type { Metrics } from "../observability/metrics/metrics.ts";
import type { Bulkheads } from "../proxy/bulkheads.ts";
import type { InFlight } from "../proxy/in_flight.ts";
import type { UpstreamClient } from "../upstream/http1/client.ts";

interface Watched extends Pick<MetricSources, "limits"> {
  readonly inFlight: InFlight;
  readonly bulkheads: Bulkheads;
  readonly upstream: UpstreamClient;
  readonly readiness: ReadinessChecks;
  readonly store: DurableStore | null;
  readonly clientLeg: Pick<
    ReturnType<typeof createClientLeg>,
    "budget" | "leakedSockets"
  >;
  readonly lines: LineWriter | undefined;
}

/** Has the metrics show the state of these parts whenever they are read. */
export function watchMetrics(metrics: Metrics, watched: Watched): void {
  const { inFlight, bulkheads, upstream, clientLeg } = watched;
  metrics.setSources({
    inFlight: () => inFlight.count,
    tunnels: () => inFlight.tunnelCount,
    upstream: () => ({ ...upstream.stats(), ...upstream.totals() }),
    droppedLogLines: () => watched.lines?.dropped ?? 0,
    leakedSockets: () => clientLeg.leakedSockets.count,
    areDescriptorsShort,
    bufferedBytes: () => clientLeg.budget.usedBytes,
    storeWatch: () => watched.store?.watch,
    limits: watched.limits,
    limitsPerEach: () => [...inFlight.limitsPerEach(), bulkheads.inUse],
    unresponsiveRunners: () => bulkheads.unresponsive,
    checks: () => watched.readiness.latest,
  });
}
