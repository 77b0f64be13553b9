import assert from "node:assert/strict";
import { Metrics } from "../../../../src/observability/metrics/metrics.ts";
import { sumExpositions } from "../../../../src/observability/metrics/sum_expositions.ts";
import { parseExposition, samplesOf } from "./parse_exposition.ts";

/** The metrics of one thread after `requests` requests of 20 ms each. */
function textAfter(requests: number, status = 200): string {
  const metrics = new Metrics("1.2.3", () => ({
    cpuSeconds: 10 + requests,
    startedAtSec: 1000,
    residentBytes: 5000,
    heapBytes: 300,
    heapUsedBytes: 200,
    externalBytes: 100,
  }));
  metrics.setSources({
    inFlight: () => requests,
    tunnels: () => 1,
    upstream: () => ({ idle: 1, active: 2, opened: 3, reused: 4 }),
    droppedLogLines: () => 5,
    leakedSockets: () => 6,
    bufferedBytes: () => 7,
    limits: { exchanges: 11, tunnels: 12, bufferedBytes: 13 },
    checks: () => ({ api: "ok", key: "failing", login: "off" }),
  });
  for (let i = 0; i < requests; i++) {
    metrics.exchange({
      route: "preview",
      status,
      end: "complete",
      isFromApp: true,
      error: undefined,
      tunnel: undefined,
      receivedBytes: 0,
      sentBytes: 10,
      startedAt: 0,
      resolvedAt: undefined,
      answeredAt: 10,
      endedAt: 20,
    });
  }
  return metrics.render();
}

Deno.test("sumExpositions() adds counters, gauges and histograms", () => {
  const samples = samplesOf(sumExpositions([textAfter(2), textAfter(3)]));
  const seconds = "porthole_http_request_duration_seconds";
  for (
    const [id, value] of [
      ['porthole_http_requests_total{route="preview",status="2xx"}', 5],
      ["porthole_http_requests_in_flight", 5],
      ["porthole_tunnels_open", 2],
      ["porthole_log_lines_dropped_total", 10],
      [`${seconds}_bucket{route="preview",le="0.01"}`, 0],
      [`${seconds}_bucket{route="preview",le="0.025"}`, 5],
      [`${seconds}_count{route="preview"}`, 5],
      [`${seconds}_sum{route="preview"}`, 0.1],
      ["process_heap_bytes", 600],
    ] as const
  ) assert.equal(samples.get(id), value, id);
});

Deno.test("sumExpositions() does not add what describes the whole process", () => {
  const samples = samplesOf(sumExpositions([textAfter(0), textAfter(1)]));
  assert.equal(samples.get("process_cpu_seconds_total"), 11);
  assert.equal(samples.get("process_start_time_seconds"), 1000);
  assert.equal(samples.get("process_resident_memory_bytes"), 5000);
  const info = [...samples].filter(([id]) => id.startsWith("porthole_build"));
  assert.deepEqual(info.map(([, value]) => value), [1]);
});

Deno.test("sumExpositions() keeps a sample that only one text has within its own metric", () => {
  const texts = [textAfter(1), textAfter(1, 600), ""];
  const families = parseExposition(sumExpositions(texts));
  const { samples } = families.get("porthole_http_requests_total") ??
    assert.fail();
  assert.equal(
    samples.get('porthole_http_requests_total{route="preview",status="other"}'),
    1,
  );
  assert.equal(families.size, parseExposition(textAfter(0)).size);
});

Deno.test("sumExpositions() of one text is that text", () => {
  assert.equal(sumExpositions([textAfter(3)]), textAfter(3));
});

Deno.test("sumExpositions() has a check pass only if it does so in all threads, and adds up the shares of limits", () => {
  const samples = samplesOf(sumExpositions([textAfter(1), textAfter(1)]));
  for (
    const [id, value] of [
      ['porthole_check_passing{check="api"}', 1],
      ['porthole_check_passing{check="key"}', 0],
      ['porthole_limit{limit="tunnels"}', 24],
    ] as const
  ) assert.equal(samples.get(id), value, id);
});
