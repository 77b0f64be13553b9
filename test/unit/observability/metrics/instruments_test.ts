import assert from "node:assert/strict";
import { formatFamily } from "../../../../src/observability/metrics/exposition.ts";
import {
  Counter,
  Gauge,
  Histogram,
} from "../../../../src/observability/metrics/instruments.ts";
import { samplesOf } from "./parse_exposition.ts";

function samples(instrument: Pick<Gauge, "family">) {
  return Object.fromEntries(samplesOf(formatFamily(instrument.family)));
}

function counter() {
  return new Counter({
    name: "c_total",
    help: "c",
    type: "counter",
    labels: { a: ["x", "y"] },
  });
}

Deno.test("Counter exposes listed label values from the start, and other once it is used", () => {
  const series = counter();
  assert.deepEqual(samples(series), {
    'c_total{a="x"}': 0,
    'c_total{a="y"}': 0,
  });
  series.add(2, "y");
  series.add(1, "y");
  series.add(5, "z");
  assert.deepEqual(samples(series), {
    'c_total{a="x"}': 0,
    'c_total{a="y"}': 3,
    'c_total{a="other"}': 5,
  });
});

Deno.test("Counter keeps each combination of two label values apart", () => {
  const counter = new Counter({
    name: "c_total",
    help: "c",
    type: "counter",
    labels: { a: ["x", "y"], b: ["1", "2"] },
  });
  const expected: Record<string, number> = {};
  for (const [row, a] of ["x", "y", "other"].entries()) {
    for (const [column, b] of ["1", "2", "other"].entries()) {
      const count = 1 + 3 * row + column;
      counter.add(count, a, b);
      expected[`c_total{a="${a}",b="${b}"}`] = count;
    }
  }
  assert.deepEqual(samples(counter), expected);
});

Deno.test("Counter counts unlisted and missing label values as other", () => {
  const series = counter();
  for (const value of ["z", "", "constructor", "__proto__", undefined]) {
    series.add(1, value);
  }
  assert.equal(samples(series)['c_total{a="other"}'], 5);
});

Deno.test("Counter throws for three labels", () => {
  const labels = { a: ["x"], b: ["x"], c: ["x"] };
  assert.throws(
    () => new Counter({ name: "c_total", help: "c", type: "counter", labels }),
    TypeError,
  );
});

Deno.test("Counter.add() ignores what is not greater than 0", () => {
  const series = counter();
  series.add(2, "x");
  for (const by of [-1, 0, NaN, -Infinity]) series.add(by, "x");
  assert.equal(samples(series)['c_total{a="x"}'], 2);
});

Deno.test("Gauge.set() replaces the value", () => {
  const gauge = new Gauge({ name: "g", help: "g", type: "gauge" });
  assert.deepEqual(samples(gauge), { g: 0 });
  gauge.set(7);
  gauge.set(3);
  assert.deepEqual(samples(gauge), { g: 3 });
});

Deno.test("Histogram counts in seconds, and a bucket includes its bound", () => {
  const histogram = new Histogram({
    name: "d_seconds",
    help: "d",
    type: "histogram",
    boundsMs: [1, 2.5, 1000],
  });
  for (const ms of [0, 1, 2, 2.5, 3, 1000, 1001, 60_000]) histogram.observe(ms);
  assert.deepEqual(samples(histogram), {
    'd_seconds_bucket{le="0.001"}': 2,
    'd_seconds_bucket{le="0.0025"}': 4,
    'd_seconds_bucket{le="1"}': 6,
    'd_seconds_bucket{le="+Inf"}': 8,
    d_seconds_sum: 62.0095,
    d_seconds_count: 8,
  });
});

Deno.test("Histogram keeps label values apart, and exposes other once it is used", () => {
  const histogram = new Histogram({
    name: "d_seconds",
    help: "d",
    type: "histogram",
    labels: { a: ["x", "y"] },
    boundsMs: [10],
  });
  histogram.observe(5, "y");
  const known = {
    'd_seconds_bucket{a="x",le="0.01"}': 0,
    'd_seconds_bucket{a="x",le="+Inf"}': 0,
    'd_seconds_sum{a="x"}': 0,
    'd_seconds_count{a="x"}': 0,
    'd_seconds_bucket{a="y",le="0.01"}': 1,
    'd_seconds_bucket{a="y",le="+Inf"}': 1,
    'd_seconds_sum{a="y"}': 0.005,
    'd_seconds_count{a="y"}': 1,
  };
  assert.deepEqual(samples(histogram), known);
  histogram.observe(20, "z");
  assert.deepEqual(samples(histogram), {
    ...known,
    'd_seconds_bucket{a="other",le="0.01"}': 0,
    'd_seconds_bucket{a="other",le="+Inf"}': 1,
    'd_seconds_sum{a="other"}': 0.02,
    'd_seconds_count{a="other"}': 1,
  });
});

Deno.test("Histogram.observe() counts a negative duration or NaN as 0", () => {
  const histogram = new Histogram({
    name: "d_seconds",
    help: "d",
    type: "histogram",
    boundsMs: [10],
  });
  histogram.observe(-5);
  histogram.observe(NaN);
  assert.deepEqual(samples(histogram), {
    'd_seconds_bucket{le="0.01"}': 2,
    'd_seconds_bucket{le="+Inf"}': 2,
    d_seconds_sum: 0,
    d_seconds_count: 2,
  });
});
