import { Metrics } from "../../../../src/observability/metrics/metrics.ts";
import { samplesOf } from "./parse_exposition.ts";

/** The samples that `record` changes, without buckets and the resource usage of the process. */
export function changeOf(
  record: (metrics: Metrics) => void,
): Record<string, number> {
  const metrics = new Metrics("1.2.3");
  const before = samplesOf(metrics.render());
  record(metrics);
  const changed = [...samplesOf(metrics.render())].filter(([id, value]) =>
    value !== (before.get(id) ?? 0) &&
    !/^process_|_bucket|^porthole_(heap|external)/.test(id)
  );
  return Object.fromEntries(changed);
}
