import assert from "node:assert/strict";
import { changeOf } from "../../observability/metrics/change_of.ts";

Deno.test("count() takes the values of labels in any order", () => {
  const change = changeOf((metrics) => {
    metrics.count("starts", { by: "link", outcome: "refused" });
    metrics.count("starts", { outcome: "refused", by: "link" });
  });
  assert.deepEqual(change, {
    'porthole_sandbox_starts_total{by="link",outcome="refused"}': 2,
  });
});
