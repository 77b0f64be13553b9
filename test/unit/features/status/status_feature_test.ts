import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  status,
  statusSettings,
} from "../../../../src/features/status/status_feature.ts";
import type { FeatureParts } from "../../../../src/gateway/feature_module.ts";
import { previewExchange } from "../../../../src/gateway/preview_route.ts";
import { loggerFor } from "../../../../src/observability/log.ts";
import { listenForMetrics } from "../../../../src/server/metrics_server.ts";
import { collectLog } from "../../../support/collected_log.ts";
import { configOf } from "../../../support/config.ts";
import { recordedLog } from "../../../support/event_log.ts";
import {
  exchangeServices,
  incomingRequest,
  PREVIEW_HOST,
} from "../../../support/exchange.ts";
import { send } from "../../../support/send.ts";
import { testSettings } from "../../../support/suites/settings.ts";

const METRICS = 'porthole_build_info{version="1.2.3",deno="2"} 1\n';

const RUNNER = {
  origin: "http://runner:3003",
  waiting: 3,
  isUnresponsive: true,
};

/** The feature as the environment has it; undefined if it is off. */
function setUp(env: Readonly<Record<string, string>> = {}) {
  const { inFlight } = exchangeServices();
  const parts: Partial<FeatureParts> = {
    config: configOf({ METRICS_PORT: "9090", STATUS_PAGE: "true", ...env }),
    inFlight,
    bulkheads: { mostWaiting: () => [RUNNER] },
    otherLimits: () => [{ name: "OTHER", used: 1, limit: 2 }],
    renderMetrics: () => METRICS,
  };
  return { feature: status.create(parts as FeatureParts) };
}

/** Uses a metrics listener with the status page. */
async function withStatusPage(
  use: (port: number) => Promise<void>,
): Promise<void> {
  const { feature } = setUp();
  const address = { hostname: "127.0.0.1", port: 0, statusPage: true };
  const { log } = recordedLog();
  const listener = listenForMetrics(address, {
    render: () => METRICS,
    pages: feature?.control?.metricsPages ?? assert.fail(),
    log,
  }) ?? assert.fail();
  try {
    await use(listener.port);
  } finally {
    feature?.life?.close?.();
    await listener.close();
  }
}

Deno.test("the status page loads nothing from elsewhere, runs its own script only, and may be framed by nobody", async () => {
  await withStatusPage(async (port) => {
    const response = await fetch(`http://127.0.0.1:${port}/`);
    assert.equal(response.status, 200);
    const policy = response.headers.get("content-security-policy") ?? "";
    for (
      const directive of [
        "default-src 'none'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
      ]
    ) assert(policy.includes(directive), policy);
    const html = await response.text();
    const scripts = [...html.matchAll(/<script[^>]*>([^]*?)<\/script>/g)];
    assert.equal(scripts.length, 1);
    const digest = createHash("sha256").update(scripts[0]?.[1] ?? "")
      .digest("base64");
    assert(policy.includes(`script-src 'sha256-${digest}'`), policy);
    assert.doesNotMatch(html, /(?:src|href)="(?!metrics"|data:)/);
  });
});

Deno.test("the status page's events come as long as somebody listens, and end with the gateway", async () => {
  let ended: Promise<unknown> | undefined;
  await withStatusPage(async (port) => {
    const response = await fetch(`http://127.0.0.1:${port}/events`);
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    const reader = response.body?.getReader() ?? assert.fail();
    const { value } = await reader.read();
    const text = new TextDecoder().decode(value);
    assert.match(text, /^data: \{"version":"1\.2\.3".*"isFirst":true\}\n\n$/);
    ended = reader.read();
    const head = await fetch(`http://127.0.0.1:${port}/events`, {
      method: "HEAD",
    });
    assert.equal(head.status, 200);
  });
  assert.deepEqual(await ended, { done: true, value: undefined });
});

Deno.test("whoever points a name of theirs at the metrics port reads no status page, and the scrape goes on", async () => {
  await withStatusPage(async (port) => {
    for (
      const [host, path, status] of [
        ["rebound.example.com", "/", 421],
        ["rebound.example.com", "/events", 421],
        ["rebound.example.com", "/metrics", 200],
        ["gateway-1", "/", 200],
      ] as const
    ) {
      // The events never end by themselves.
      const method = status === 200 ? "HEAD" : "GET";
      const answer = await send(`${host}:${port}`, { port, path, method });
      assert.equal(answer.status, status, `${host}${path}`);
    }
  });
});

Deno.test("the status page tells which sandboxes are used, how near the limits are, and what went wrong even before it was there", async () => {
  await using _log = await collectLog();
  loggerFor("test").warn("not ready: api", { reason: "no answer" });
  const { feature } = setUp();
  const { services, records } = exchangeServices();
  const x = previewExchange(incomingRequest(), PREVIEW_HOST, services);
  x.checkLimits();
  x.grant({ sandboxId: "box", by: "public" }, () => Promise.resolve(true));
  await x.answer(new Response());
  const [record = assert.fail()] = records;
  feature?.watch?.record?.({ ...record, organizationId: "org-1" });
  const events = feature?.control?.metricsPages?.["/events"] ?? assert.fail();
  const response = events(new Request("http://127.0.0.1/events"));
  feature?.life?.close?.();
  const data = (await response.text()).slice("data: ".length);
  const { sandboxes, organizations, runners, limits, troubles } = JSON.parse(
    data,
  );
  assert.equal(organizations[0].id, "org-1");
  assert.deepEqual(runners, [RUNNER]);
  assert.equal(sandboxes[0].sandboxId, "box");
  assert.deepEqual(limits.at(-1), { name: "OTHER", used: 1, limit: 2 });
  assert.ok(limits.length > 1);
  assert.deepEqual(
    [troubles[0].message, troubles[0].reason],
    ["not ready: api", "no answer"],
  );
});

Deno.test("there is no status page without STATUS_PAGE, or without a port for it", () => {
  for (const env of [{ STATUS_PAGE: "false" }, { METRICS_PORT: "" }]) {
    assert.equal(setUp(env).feature, undefined);
  }
});

testSettings("status", statusSettings, {
  reads: [
    [{}, { isOn: true }],
    [{ STATUS_PAGE: "false" }, { isOn: false }],
  ],
  refuses: { STATUS_PAGE: ["no"] },
});
