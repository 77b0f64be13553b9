import assert from "node:assert/strict";
import { processUsage } from "../../../src/observability/metrics/process_usage.ts";

Deno.test("processUsage() needs no permission and reads what is so", {
  permissions: "none",
}, () => {
  const usage = processUsage();
  const nowSec = Date.now() / 1000;
  assert.ok(usage.cpuSeconds > 0 && usage.cpuSeconds < 3600);
  assert.ok(usage.startedAtSec < nowSec && usage.startedAtSec > nowSec - 3600);
  assert.ok(usage.residentBytes > usage.heapUsedBytes);
  assert.ok(usage.heapBytes >= usage.heapUsedBytes);
  assert.ok(usage.heapUsedBytes > 1_000_000);
  assert.ok(usage.externalBytes > 0);
});
