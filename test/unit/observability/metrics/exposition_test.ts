import assert from "node:assert/strict";
import {
  formatFamily,
  formatLabels,
} from "../../../../src/observability/metrics/exposition.ts";

Deno.test("formatLabels() escapes quotes, backslashes and line feeds", () => {
  assert.equal(formatLabels([]), "");
  assert.equal(
    formatLabels([["a", 'x"} 1\ny\\'], ["b", "ü"]]),
    String.raw`a="x\"} 1\ny\\",b="ü"`,
  );
});

Deno.test("formatFamily() writes the help, the type, and a line for each sample", () => {
  assert.equal(
    formatFamily({
      name: "a_total",
      help: 'All "a"\n\\o/',
      type: "counter",
      samples: [
        { labels: "", value: 1 },
        { labels: 'b="c"', value: 0.5 },
        { suffix: "_sum", labels: "", value: 1e21 },
        { labels: 'b="d"', value: Infinity },
        { labels: 'b="e"', value: -Infinity },
        { labels: 'b="f"', value: NaN },
      ],
    }),
    String.raw`# HELP a_total All "a"\n\\o/
# TYPE a_total counter
a_total 1
a_total{b="c"} 0.5
a_total_sum 1e+21
a_total{b="d"} +Inf
a_total{b="e"} -Inf
a_total{b="f"} NaN
`,
  );
});
