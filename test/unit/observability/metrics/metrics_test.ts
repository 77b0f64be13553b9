import assert from "node:assert/strict";
import type {
  ExchangeFacts,
  TunnelFacts,
} from "../../../../src/observability/metrics/facts.ts";
import {
  Metrics,
  processUsage,
} from "../../../../src/observability/metrics/metrics.ts";
import { changeOf } from "./change_of.ts";
import { parseExposition, samplesOf } from "./parse_exposition.ts";

const TUNNEL: TunnelFacts = {
  by: "client",
  code: 1000,
  messagesSent: 2,
  bytesSent: 20,
  messagesReceived: 3,
  bytesReceived: 300,
};

function exchangeOf(facts: Partial<ExchangeFacts> = {}): ExchangeFacts {
  return {
    route: "preview",
    status: 200,
    end: "complete",
    isFromApp: true,
    error: undefined,
    tunnel: undefined,
    receivedBytes: 0,
    sentBytes: 0,
    startedAt: 1000,
    resolvedAt: 1002,
    answeredAt: 1022,
    endedAt: 1500,
    ...facts,
  };
}

Deno.test("exchange() counts an app's answer and measures each part of it", () => {
  const change = changeOf((metrics) =>
    metrics.exchange(exchangeOf({ receivedBytes: 7, sentBytes: 1024 }))
  );
  assert.deepEqual(change, {
    'porthole_http_requests_total{route="preview",status="2xx"}': 1,
    'porthole_http_responses_total{source="app",status="2xx"}': 1,
    'porthole_http_request_ends_total{end="complete"}': 1,
    'porthole_http_body_bytes_total{route="preview",direction="request"}': 7,
    'porthole_http_body_bytes_total{route="preview",direction="response"}':
      1024,
    'porthole_http_request_duration_seconds_sum{route="preview"}': 0.5,
    'porthole_http_request_duration_seconds_count{route="preview"}': 1,
    porthole_resolution_duration_seconds_sum: 0.002,
    porthole_resolution_duration_seconds_count: 1,
    porthole_upstream_first_byte_seconds_sum: 0.02,
    porthole_upstream_first_byte_seconds_count: 1,
  });
});

Deno.test("exchange() measures no first byte of an app for an answer of the gateway's own", () => {
  const refused = exchangeOf({
    status: 401,
    error: "login_required",
    isFromApp: false,
    resolvedAt: undefined,
  });
  assert.deepEqual(changeOf((metrics) => metrics.exchange(refused)), {
    'porthole_http_requests_total{route="preview",status="4xx"}': 1,
    'porthole_http_responses_total{source="gateway",status="4xx"}': 1,
    'porthole_http_request_ends_total{end="complete"}': 1,
    'porthole_errors_total{code="login_required"}': 1,
    'porthole_http_request_duration_seconds_sum{route="preview"}': 0.5,
    'porthole_http_request_duration_seconds_count{route="preview"}': 1,
  });
  for (
    const facts of [
      { status: 504, error: "runner_timeout" },
      { status: 499, end: "client_gone" },
    ] as const
  ) {
    const change = changeOf((metrics) => metrics.exchange(exchangeOf(facts)));
    assert.equal(change.porthole_resolution_duration_seconds_count, 1);
    assert.equal(change.porthole_upstream_first_byte_seconds_count, undefined);
  }
});

Deno.test("exchange() tells a broken app and a sandbox that does not run from a gateway that fails", () => {
  const change = changeOf((metrics) => {
    for (
      const facts of [
        { status: 500, isFromApp: true },
        { status: 502, error: "port_closed" },
        { status: 503, error: "api_unreachable" },
        { status: 302 },
      ]
    ) metrics.exchange(exchangeOf({ isFromApp: false, ...facts }));
  });
  const told = Object.entries(change).filter(([id]) =>
    id.startsWith("porthole_http_responses_total")
  );
  assert.deepEqual(Object.fromEntries(told), {
    'porthole_http_responses_total{source="app",status="5xx"}': 1,
    'porthole_http_responses_total{source="sandbox",status="5xx"}': 1,
    'porthole_http_responses_total{source="gateway",status="5xx"}': 1,
    'porthole_http_responses_total{source="gateway",status="3xx"}': 1,
  });
});

Deno.test("render() has no check that there is nothing for, no certificate unless there is one, and no tracking without Redis", () => {
  const metrics = new Metrics("1.2.3");
  let watch: object | null | undefined = undefined;
  const states = { api: "ok", key: "failing", login: "off" } as {
    login: "ok" | "off";
  };
  metrics.setSources({
    inFlight: () => 0,
    clients: () => 0,
    tunnels: () => 0,
    upstream: () => ({ idle: 0, active: 0, opened: 0, reused: 0 }),
    droppedLogLines: () => 0,
    leakedSockets: () => 0,
    areDescriptorsShort: () => false,
    bufferedBytes: () => 0,
    storeWatch: () => watch,
    limits: { concurrentExchanges: 1, tunnels: 1, bufferBudgetBytes: 1 },
    limitsPerEach: () => [],
    unreadableRecords: () => 0,
    unresponsiveRunners: () => 0,
    checks: () => states,
  });
  function told(): string[] {
    return [...samplesOf(metrics.render())].map((sample) => sample.join(" "))
      .filter((line) => /_check_|certificate|tracking/.test(line));
  }
  const before = [
    'porthole_check_passing{check="api"} 1',
    'porthole_check_passing{check="key"} 0',
  ];
  assert.deepEqual(told(), before);
  states.login = "ok";
  metrics.certificateExpires(new Date(1_800_000_000_000));
  assert.deepEqual(told(), [
    ...before,
    'porthole_check_passing{check="login"} 1',
    "porthole_certificate_expiry_timestamp_seconds 1800000000",
  ]);
  states.login = "off";
  assert.deepEqual(told().slice(0, -1), before);
  watch = null;
  assert(told().includes("porthole_store_tracking 0"));
});

Deno.test("exchange() measures a tunnel apart from requests", () => {
  const tunnel = exchangeOf({ status: 101, tunnel: TUNNEL, endedAt: 61_022 });
  assert.deepEqual(changeOf((metrics) => metrics.exchange(tunnel)), {
    'porthole_http_requests_total{route="preview",status="1xx"}': 1,
    'porthole_http_responses_total{source="app",status="1xx"}': 1,
    'porthole_http_request_ends_total{end="complete"}': 1,
    'porthole_tunnels_closed_total{by="client",code="1000"}': 1,
    'porthole_tunnel_bytes_total{direction="to_app"}': 20,
    'porthole_tunnel_bytes_total{direction="to_client"}': 300,
    'porthole_tunnel_messages_total{direction="to_app"}': 2,
    'porthole_tunnel_messages_total{direction="to_client"}': 3,
    porthole_tunnel_duration_seconds_sum: 60,
    porthole_tunnel_duration_seconds_count: 1,
    porthole_resolution_duration_seconds_sum: 0.002,
    porthole_resolution_duration_seconds_count: 1,
    porthole_upstream_first_byte_seconds_sum: 0.02,
    porthole_upstream_first_byte_seconds_count: 1,
  });
});

Deno.test("cacheEvent() counts tiers and failures apart", () => {
  const change = changeOf((metrics) => {
    metrics.cacheEvent("hit", "sandbox-public");
    metrics.cacheEvent("hit", "sandbox-public");
    metrics.cacheEvent("durable_hit", "sandbox-public");
    metrics.cacheEvent("fill_failed", "signed-token");
  });
  assert.deepEqual(change, {
    'porthole_cache_requests_total{kind="sandbox-public",result="hit"}': 2,
    'porthole_cache_requests_total{kind="sandbox-public",result="durable_hit"}':
      1,
    'porthole_cache_failures_total{kind="signed-token",failure="fill_failed"}':
      1,
  });
});

Deno.test("apiCall() counts a call once and its retries apart", () => {
  const operation = "isSandboxPublic";
  const change = changeOf((metrics) => {
    metrics.apiCall({ operation, outcome: "ok", durationMs: 5, tries: 1 });
    metrics.apiCall({
      operation,
      outcome: "failed",
      durationMs: 1500,
      tries: 3,
    });
  });
  assert.deepEqual(change, {
    'porthole_api_calls_total{operation="isSandboxPublic",outcome="ok"}': 1,
    'porthole_api_calls_total{operation="isSandboxPublic",outcome="failed"}': 1,
    'porthole_api_retries_total{operation="isSandboxPublic"}': 2,
    porthole_api_call_duration_seconds_sum: 1.505,
    porthole_api_call_duration_seconds_count: 2,
  });
});

Deno.test("render() reads the sources each time", () => {
  let inFlight = 3;
  const change = changeOf((metrics) => {
    metrics.setSources({
      inFlight: () => inFlight,
      clients: () => inFlight + 1,
      tunnels: () => 2,
      upstream: () => ({ idle: 4, active: 5, opened: 60, reused: 700 }),
      droppedLogLines: () => 8,
      leakedSockets: () => 6,
      areDescriptorsShort: () => true,
      bufferedBytes: () => 10,
      storeWatch: () => ({}),
      limits: { concurrentExchanges: 11, tunnels: 12, bufferBudgetBytes: 13 },
      limitsPerEach: () => [
        { name: "MAX_EXCHANGES_PER_SANDBOX", used: 14, limit: 15 },
        { name: "MAX_WAITING_PER_RUNNER", used: 16, limit: 17 },
        { name: "QUEUED_PER_RUNNER", used: 19, limit: 20 },
      ],
      unreadableRecords: () => 21,
      unresponsiveRunners: () => 18,
      checks: () => ({ api: "ok", key: "failing", login: "off" }),
    });
    metrics.bufferEvicted("tunnel");
    metrics.activity("reported");
    metrics.render();
    inFlight = 9;
  });
  assert.deepEqual(change, {
    porthole_http_requests_in_flight: 9,
    porthole_tunnels_open: 2,
    'porthole_upstream_connections{state="idle"}': 4,
    'porthole_upstream_connections{state="active"}': 5,
    porthole_upstream_connections_opened_total: 60,
    porthole_upstream_connections_reused_total: 700,
    porthole_log_lines_dropped_total: 8,
    porthole_sockets_lost_total: 6,
    porthole_sockets_open: 19,
    porthole_descriptors_short: 1,
    porthole_buffered_bytes: 10,
    porthole_store_tracking: 1,
    'porthole_limit{limit="exchanges"}': 11,
    'porthole_limit{limit="tunnels"}': 12,
    'porthole_limit{limit="buffered_bytes"}': 13,
    'porthole_limit{limit="exchanges_per_sandbox"}': 15,
    'porthole_limit{limit="waiting_per_runner"}': 17,
    'porthole_limit{limit="queued_per_runner"}': 20,
    'porthole_limit_used{limit="exchanges_per_sandbox"}': 14,
    'porthole_limit_used{limit="waiting_per_runner"}': 16,
    'porthole_limit_used{limit="queued_per_runner"}': 19,
    porthole_records_unreadable: 21,
    porthole_runners_unresponsive: 18,
    'porthole_check_passing{check="api"}': 1,
    'porthole_buffer_evictions_total{kind="tunnel"}': 1,
    'porthole_activity_reports_total{outcome="reported"}': 1,
  });
});

Deno.test("render() includes the versions and the usage of the process", () => {
  const metrics = new Metrics('1.2.3-"x"', () => ({
    cpuSeconds: 1.5,
    startTime: 1000.25,
    residentMemory: 5,
    heap: 4,
    heapUsed: 3,
    externalMemory: 2,
  }));
  const samples = samplesOf(metrics.render());
  const deno = Deno.version.deno;
  for (
    const [id, value] of Object.entries({
      [String.raw`porthole_build_info{version="1.2.3-\"x\"",deno="${deno}"}`]:
        1,
      process_cpu_seconds_total: 1.5,
      process_start_time_seconds: 1000.25,
      process_resident_memory_bytes: 5,
      process_heap_bytes: 4,
      porthole_heap_used_bytes: 3,
      porthole_external_memory_bytes: 2,
    })
  ) assert.equal(samples.get(id), value, id);
});

Deno.test("names from outside do not add time series", () => {
  const metrics = new Metrics("1.2.3");
  function recordAll(name: string, number: number): void {
    metrics.exchange(exchangeOf({ status: number, error: name }));
    metrics.exchange(exchangeOf({ tunnel: { ...TUNNEL, code: number } }));
    metrics.cacheEvent("hit", name);
    metrics.cacheEvent("fill_failed", name);
  }
  recordAll('evil"} 1\nx', 700);
  const once = samplesOf(metrics.render());
  for (let n = 0; n < 2000; n++) recordAll(`name-${n}\n`, 10_000 + n);
  for (const n of [-1, 0, NaN, Infinity, 1e300]) recordAll("constructor", n);
  const text = metrics.render();
  const often = samplesOf(text);
  assert.deepEqual([...often.keys()], [...once.keys()]);
  assert.ok(often.size < 700, `${often.size} values`);
  assert.equal(often.get('porthole_errors_total{code="other"}'), 2006);
  assert.ok(!/name-|evil|constructor/.test(text));
});

Deno.test("counters never fall, even if a clock is set back", () => {
  const metrics = new Metrics("1.2.3");
  metrics.exchange(exchangeOf());
  const before = samplesOf(metrics.render());
  metrics.exchange(
    exchangeOf({
      startedAt: 9000,
      resolvedAt: 3000,
      endedAt: 0,
      sentBytes: -1,
    }),
  );
  const families = parseExposition(metrics.render());
  for (const [, { type, samples }] of families) {
    if (type === "gauge") continue;
    for (const [id, value] of samples) {
      assert.ok(value >= (before.get(id) ?? 0), id);
    }
  }
});

Deno.test("processUsage() needs no permission and reads plausible values", {
  permissions: "none",
}, () => {
  const usage = processUsage();
  const nowSec = Date.now() / 1000;
  assert(usage.cpuSeconds > 0 && usage.cpuSeconds < 3600);
  assert(usage.startTime < nowSec && usage.startTime > nowSec - 3600);
  assert(usage.residentMemory > usage.heapUsed);
  assert(usage.heap >= usage.heapUsed);
  assert(usage.heapUsed > 1_000_000);
  assert(usage.externalMemory > 0);
});
