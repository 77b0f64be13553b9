import assert from "node:assert/strict";
import { formatFamily } from "../../../src/observability/metrics/exposition.ts";
import {
  createDurations,
  createSeries,
} from "../../../src/observability/metrics/instruments.ts";
import { samplesOf } from "./parse_exposition.ts";

function told(instrument: Pick<ReturnType<typeof createSeries>, "family">) {
  return Object.fromEntries(samplesOf(formatFamily(instrument.family)));
}

function counter() {
  return createSeries({
    name: "c_total",
    help: "c",
    type: "counter",
    labels: { a: ["x", "y"] },
  });
}

Deno.test("Series tells what is known from the start, and other once it is used", () => {
  const series = counter();
  assert.deepEqual(told(series), { 'c_total{a="x"}': 0, 'c_total{a="y"}': 0 });
  series.add(2, "y");
  series.add(1, "y");
  series.add(5, "z");
  assert.deepEqual(told(series), {
    'c_total{a="x"}': 0,
    'c_total{a="y"}': 3,
    'c_total{a="other"}': 5,
  });
});

Deno.test("Series.add() never takes anything away", () => {
  const series = counter();
  series.add(2, "x");
  for (const by of [-1, 0, NaN, -Infinity]) series.add(by, "x");
  assert.equal(told(series)['c_total{a="x"}'], 2);
});

Deno.test("Series.set() replaces", () => {
  const series = createSeries({ name: "g", help: "g", type: "gauge" });
  assert.deepEqual(told(series), { g: 0 });
  series.set(7);
  series.set(3);
  assert.deepEqual(told(series), { g: 3 });
});

Deno.test("Durations counts in seconds, a bucket's bound included", () => {
  const durations = createDurations({
    name: "d_seconds",
    help: "d",
    type: "histogram",
    boundsMs: [1, 2.5, 1000],
  });
  for (const ms of [0, 1, 2, 2.5, 3, 1000, 1001, 60_000]) durations.observe(ms);
  assert.deepEqual(told(durations), {
    'd_seconds_bucket{le="0.001"}': 2,
    'd_seconds_bucket{le="0.0025"}': 4,
    'd_seconds_bucket{le="1"}': 6,
    'd_seconds_bucket{le="+Inf"}': 8,
    d_seconds_sum: 62.0095,
    d_seconds_count: 8,
  });
});

Deno.test("Durations keeps labels apart, and tells other once it is used", () => {
  const durations = createDurations({
    name: "d_seconds",
    help: "d",
    type: "histogram",
    labels: { a: ["x", "y"] },
    boundsMs: [10],
  });
  durations.observe(5, "y");
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
  assert.deepEqual(told(durations), known);
  durations.observe(20, "z");
  assert.deepEqual(told(durations), {
    ...known,
    'd_seconds_bucket{a="other",le="0.01"}': 0,
    'd_seconds_bucket{a="other",le="+Inf"}': 1,
    'd_seconds_sum{a="other"}': 0.02,
    'd_seconds_count{a="other"}': 1,
  });
});

Deno.test("Durations.observe() takes what a clock cannot have measured for 0", () => {
  const durations = createDurations({
    name: "d_seconds",
    help: "d",
    type: "histogram",
    boundsMs: [10],
  });
  durations.observe(-5);
  durations.observe(NaN);
  assert.deepEqual(told(durations), {
    'd_seconds_bucket{le="0.01"}': 2,
    'd_seconds_bucket{le="+Inf"}': 2,
    d_seconds_sum: 0,
    d_seconds_count: 2,
  });
});
