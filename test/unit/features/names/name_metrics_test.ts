import assert from "node:assert/strict";
import { changeOf } from "../../observability/metrics/change_of.ts";

Deno.test("render() has no names unless they are kept, and reads their number each time", () => {
  const counts = { active: 2, pending: 1, suspended: 0 };
  const change = changeOf((metrics) => {
    assert.doesNotMatch(metrics.render(), /^porthole_names\{/m);
    metrics.setSource("names", () => counts);
    metrics.render();
    counts.active = 3;
  });
  assert.deepEqual(change, {
    'porthole_names{state="active"}': 3,
    'porthole_names{state="pending"}': 1,
  });
});
