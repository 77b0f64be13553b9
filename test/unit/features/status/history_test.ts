import assert from "node:assert/strict";
import { Metrics } from "../../../../src/observability/metrics/metrics.ts";
import {
  pointBetween,
  summaryOf,
} from "../../../../src/features/status/history.ts";
import {
  quantileBetween,
  Reading,
} from "../../../../src/features/status/reading.ts";

/** Real metrics, and a reading of them now. */
function setUp() {
  const metrics = new Metrics("1.2.3");
  let tunnels = 0;
  metrics.setSources({
    inFlight: () => 7,
    clients: () => 10,
    tunnels: () => tunnels,
    upstream: () => ({ idle: 0, active: 0, opened: 0, reused: 0 }),
    droppedLogLines: () => 0,
    leakedSockets: () => 6,
    areDescriptorsShort: () => false,
    bufferedBytes: () => 5,
    storeWatch: () => undefined,
    limits: { concurrentExchanges: 1, tunnels: 1, bufferBudgetBytes: 1 },
    limitsPerEach: () => [],
    unreadableRecords: () => 0,
    unresponsiveRunners: () => 0,
    checks: () => ({ api: "ok", key: "failing", login: "off" }),
  });
  function exchange(
    { ms = 20, ...facts }: {
      status?: number;
      error?: string;
      isFromApp?: boolean;
      ms?: number;
    } = {},
  ): void {
    metrics.exchange({
      route: "preview",
      status: 200,
      end: "complete",
      isFromApp: true,
      error: undefined,
      tunnel: undefined,
      receivedBytes: 100,
      sentBytes: 1000,
      startedAt: 0,
      resolvedAt: 1,
      answeredAt: ms,
      endedAt: ms,
      ...facts,
    });
  }
  return {
    metrics,
    exchange,
    setTunnels: (count: number) => void (tunnels = count),
    readingAt: (at: number) => new Reading(metrics.render(), at),
  };
}

Deno.test("a point has the rates between two readings, by who answered", () => {
  const { metrics, exchange, setTunnels, readingAt } = setUp();
  exchange();
  const before = readingAt(1000);
  for (let i = 0; i < 8; i++) exchange();
  exchange({ status: 500 });
  exchange({ status: 502, error: "port_closed", isFromApp: false });
  exchange({ status: 503, error: "api_unreachable", isFromApp: false });
  metrics.cacheEvent("hit", "sandbox-public");
  metrics.cacheEvent("stale", "sandbox-public");
  metrics.cacheEvent("miss", "sandbox-public");
  metrics.cacheEvent("durable_hit", "sandbox-public");
  metrics.apiCall({
    operation: "getSandbox",
    outcome: "failed",
    durationMs: 40,
    tries: 1,
  });
  setTunnels(3);
  const point = pointBetween(before, readingAt(3000));
  const { app, sandbox, gateway, appFailed, gatewayFailed, hits } = point;
  assert.deepEqual(
    [app, sandbox, gateway, appFailed, gatewayFailed, hits],
    [4.5, 0.5, 0.5, 0.5, 0.5, 0.5],
  );
  assert.deepEqual([point.sent, point.received], [5500, 550]);
  assert.deepEqual([point.apiCalls, point.apiFailed], [0.5, 0.5]);
  assert.deepEqual([point.inFlight, point.tunnels, point.buffered], [7, 3, 5]);
  assert.equal(point.at, 3000);
  assert(point.memory > 1e6);
});

Deno.test("a point has no durations and no hits where nothing happened, and no rate below 0", () => {
  const { exchange, readingAt } = setUp();
  exchange();
  const busy = readingAt(1000);
  const idle = pointBetween(busy, readingAt(2000));
  assert.deepEqual(
    [idle.median, idle.p95, idle.api95, idle.hits, idle.app],
    [null, null, null, null, 0],
  );
  const restarted = pointBetween(busy, setUp().readingAt(2000));
  assert.equal(restarted.app, 0);
  assert.equal(restarted.sent, 0);
});

Deno.test("quantiles are those of the durations between the readings, in proportion within a bucket", () => {
  const { exchange, readingAt } = setUp();
  for (let i = 0; i < 100; i++) exchange({ ms: 5000 });
  const before = readingAt(0);
  for (let i = 0; i < 90; i++) exchange({ ms: 20 }); // in (10, 25]
  for (let i = 0; i < 10; i++) exchange({ ms: 900_000 }); // beyond the last bound
  const after = readingAt(1000);
  const name = "porthole_http_request_duration_seconds";
  const of = (quantile: number) =>
    quantileBetween(before, after, { name, quantile });
  assert.equal(of(0.45)?.toFixed(4), "0.0175");
  assert.equal(of(0.9)?.toFixed(3), "0.025");
  assert.equal(of(0.99), 300);
  assert.equal(
    quantileBetween(after, after, { name, quantile: 0.5 }),
    undefined,
  );
});

Deno.test("a summary counts what has happened since, most first, and has the checks that there are", () => {
  const { exchange, readingAt } = setUp();
  exchange({ status: 502, error: "port_closed" });
  const since = readingAt(1000);
  exchange({ status: 502, error: "port_closed" });
  for (let i = 0; i < 3; i++) exchange({ status: 404, error: "no_access" });
  exchange({ status: 503, error: "api_unreachable" });
  exchange({ status: 500, error: "internal" });
  const summary = summaryOf(since, readingAt(61_000));
  // What its users can set right is not the operator's.
  assert.deepEqual(summary.usersErrors, [["no_access", 3], ["port_closed", 1]]);
  assert.deepEqual(
    new Map(summary.errors),
    new Map([["api_unreachable", 1], ["internal", 1]]),
  );
  assert.equal(summary.countedMs, 60_000);
  assert.deepEqual(summary.checks, [["api", true], ["key", false]]);
  assert.deepEqual([summary.certificate, summary.socketsLost], [null, 6]);
  assert.equal(summary.version, "1.2.3");
  assert.deepEqual(summary.logins, []);
});
