/** Where the metrics read what is true now, in each room. */
import type { DurableStore } from "../cache/store.ts";
import type { Config } from "../config/config.ts";
import type { ReadinessChecks } from "../control/readiness.ts";
import type { createClientLeg } from "../downstream/create_client_leg.ts";
import { areDescriptorsShort } from "../lib/descriptors.ts";
import type { LineWriter } from "../observability/line_writer.ts";
import type { MetricSources } from "../observability/metrics/facts.ts";
import type { Bulkheads } from "../proxy/bulkheads.ts";
import type { InFlight } from "../proxy/in_flight.ts";
import type { RecordValues } from "../records/record_values.ts";
import type { UpstreamClient } from "../upstream/http1/client.ts";

interface Rooms {
  readonly limits: Config["limits"];
  readonly lines: LineWriter | undefined;
  readonly inFlight: InFlight;
  readonly upstream: UpstreamClient;
  readonly clientLeg: ReturnType<typeof createClientLeg>;
  readonly bulkheads: Bulkheads;
  readonly store: DurableStore | null;
  readonly recordValues: Pick<RecordValues, "unreadable">;
  readonly readiness: ReadinessChecks;
}

export function metricSources(
  { limits, lines, inFlight, upstream, clientLeg, ...rooms }: Rooms,
): MetricSources {
  const { bulkheads, store, recordValues, readiness } = rooms;
  return {
    inFlight: () => inFlight.exchangeCount,
    clients: () => inFlight.count,
    tunnels: () => inFlight.tunnelCount,
    upstream: () => ({ ...upstream.stats(), ...upstream.totals() }),
    droppedLogLines: () => lines?.dropped ?? 0,
    leakedSockets: () => clientLeg.leakedSockets.count,
    areDescriptorsShort,
    bufferedBytes: () => clientLeg.budget.usedBytes,
    storeWatch: () => store?.watch,
    limits,
    limitsPerEach: () => [
      ...inFlight.limitsPerEach(),
      ...bulkheads.limitsInUse(),
    ],
    unreadableRecords: () => recordValues.unreadable,
    unresponsiveRunners: () => bulkheads.unresponsive,
    checks: () => readiness.latest,
  };
}
