import assert from "node:assert/strict";
import type { OperationId } from "../../../../scripts/stand_in/api_contract.ts";
import {
  CORE_METRICS,
  METRICS,
} from "../../../../src/observability/metrics/definitions.ts";
import helps from "../../../../src/observability/metrics/helps.json" with {
  type: "json",
};

// An operation that the table lacks does not compile in src/daytona/; one that the API lacks, not here.
METRICS.apiCalls.labels.operation satisfies readonly OperationId[];

Deno.test("names of metrics have the prefix, the unit and the _total of Prometheus' conventions", () => {
  for (const { name, type } of Object.values(METRICS)) {
    assert.match(name, /^(porthole|process)(_[a-z]+)+$/);
    assert.equal(name.endsWith("_total"), type === "counter", name);
    if (type === "histogram") assert.match(name, /_seconds$/);
  }
});

Deno.test("the bounds of buckets ascend", () => {
  for (const definition of Object.values(METRICS)) {
    if (!("boundsMs" in definition)) continue;
    const { name, boundsMs } = definition;
    const ascending = [...new Set(boundsMs)].sort((a, b) => a - b);
    assert.deepEqual([...boundsMs], ascending, name);
  }
});

Deno.test("the helps are those of the metrics, in their order", () => {
  assert.deepEqual(Object.keys(helps), Object.keys(CORE_METRICS));
});
