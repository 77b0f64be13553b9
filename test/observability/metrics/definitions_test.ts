import assert from "node:assert/strict";
import type { OperationId } from "../../../scripts/stand_in/api_operations.ts";
import {
  DURATIONS,
  SERIES,
} from "../../../src/observability/metrics/definitions.ts";

// An operation that the table lacks does not compile in src/daytona/; one that the API lacks, not here.
SERIES.apiCalls.labels.operation satisfies readonly OperationId[];

Deno.test("metrics are named as Prometheus wants them: prefix, unit, _total for counters", () => {
  for (const { name, type } of [SERIES, DURATIONS].flatMap(Object.values)) {
    assert.match(name, /^(porthole|process)(_[a-z]+)+$/);
    assert.equal(name.endsWith("_total"), type === "counter", name);
    if (type === "histogram") assert.match(name, /_seconds$/);
  }
});

Deno.test("buckets ascend", () => {
  for (const { name, boundsMs } of Object.values(DURATIONS)) {
    const ascending = [...new Set(boundsMs)].sort((a, b) => a - b);
    assert.deepEqual([...boundsMs], ascending, name);
  }
});
