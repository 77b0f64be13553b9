/** The alert rules and the dashboard: that they ask for metrics which exist, and that each alert fires when it should. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { z } from "zod";
import { METRICS } from "../../src/observability/metrics/definitions.ts";
import { parseExposition } from "../unit/observability/metrics/parse_exposition.ts";
import { startGateway } from "../support/gateway.ts";
import { untilReady } from "../support/ready.ts";
import { ALERT_CASES, MINUTES } from "./alert_cases.ts";
import { readDeployFile } from "./deploy_files.ts";
import { groupingsIn, selectorsIn } from "./metric_selectors.ts";
import { promtool, promtoolTest as test } from "./promtool.ts";

const RULES = new URL(
  "../../scripts/deploy/prometheus-rules.yaml",
  import.meta.url,
);

/** Labels that Prometheus itself adds. */
const OF_PROMETHEUS = ["job", "instance", "le"];

const Rules = z.object({
  groups: z.array(z.object({
    rules: z.array(z.object({
      alert: z.string(),
      expr: z.string(),
      labels: z.object({ severity: z.enum(["critical", "warning"]) }),
      annotations: z.record(z.string(), z.string()),
    })),
  })),
});

const Dashboard = z.object({
  panels: z.array(z.object({
    title: z.string(),
    fieldConfig: z.object({
      defaults: z.object({ unit: z.string().optional() }).optional(),
    }).optional(),
    targets: z.array(z.object({ expr: z.string() })).default([]),
  })),
});

async function alerts() {
  const text = await readDeployFile("prometheus-rules.yaml");
  return Rules.parse(parse(text)).groups.flatMap(({ rules }) => rules);
}

/** The queries of the dashboard, with its variables as Grafana would fill them in. */
async function queries(): Promise<string[]> {
  const text = await readDeployFile("grafana-dashboard.json");
  const { panels } = Dashboard.parse(JSON.parse(text));
  return panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
}

/** The values of each label of each metric that a gateway exposes; `undefined` where it has none of them now. */
async function exposedMetrics(): Promise<
  Map<string, Map<string, Set<string>>>
> {
  await using gateway = await startGateway();
  await untilReady(gateway.port);
  gateway.service.certificateExpires(new Date());
  const metrics = new Map<string, Map<string, Set<string>>>();
  const text = gateway.service.renderMetrics();
  for (const [name, { samples }] of parseExposition(text)) {
    metrics.set(name, new Map());
    for (const id of samples.keys()) {
      const sampled = id.replace(/\{.*/, "");
      const labels = metrics.get(sampled) ?? new Map<string, Set<string>>();
      metrics.set(sampled, labels);
      for (
        const [, label = "", value = ""] of id.matchAll(/(\w+)="([^"]*)"/g)
      ) {
        labels.set(label, (labels.get(label) ?? new Set()).add(value));
      }
    }
  }
  return metrics;
}

/** What an expression refers to that is not there. */
function missingIn(
  expression: string,
  metrics: Awaited<ReturnType<typeof exposedMetrics>>,
): string[] {
  const missing: string[] = [];
  const known = new Set(OF_PROMETHEUS);
  for (const { metric, labels } of selectorsIn(expression)) {
    const exposed = metrics.get(metric);
    if (exposed === undefined && metric !== "up") missing.push(metric);
    for (const name of exposed?.keys() ?? []) known.add(name);
    for (const [name, values] of labels) {
      if (OF_PROMETHEUS.includes(name)) continue;
      const there = exposed?.get(name);
      if (there === undefined) missing.push(`${metric}{${name}}`);
      for (const value of values) {
        if (!there?.has(value)) missing.push(`${metric}{${name}="${value}"}`);
      }
    }
  }
  for (const name of groupingsIn(expression)) {
    if (!known.has(name)) missing.push(`by (${name})`);
  }
  return missing;
}

Deno.test("every metric and label in an alert or on the dashboard is one that a gateway exposes", async () => {
  const metrics = await exposedMetrics();
  const expressions = [
    ...(await alerts()).map(({ expr }) => expr),
    ...await queries(),
  ];
  assert(expressions.length > 60);
  assert.deepEqual(
    expressions.flatMap((expression) => missingIn(expression, metrics)),
    [],
  );
  for (
    const [expression, missing] of [
      ["rate(porthole_nothing_total[5m])", "porthole_nothing_total"],
      ['porthole_errors_total{cod="x"}', "porthole_errors_total{cod}"],
      [
        'porthole_logins_total{outcome=~"ok|okay"}',
        'porthole_logins_total{outcome="okay"}',
      ],
      ["sum by (route) (porthole_tunnels_open)", "by (route)"],
    ] as const
  ) assert(missingIn(expression, metrics).includes(missing), expression);
});

Deno.test("the dashboard has a place for every metric", async () => {
  const shown = (await queries()).flatMap(selectorsIn)
    .map(({ metric }) => metric.replace(/_bucket$/, ""));
  const metrics = Object.values(METRICS).map(({ name }) => name);
  assert.deepEqual(
    metrics.filter((name) => !shown.includes(name)),
    [],
  );
});

Deno.test("every alert is explained in docs/operate.md, and has a case that fires it", async () => {
  const names = (await alerts()).map(({ alert }) => alert);
  const { pathname } = new URL("../../docs/operate.md", import.meta.url);
  const explained = [
    ...(await Deno.readTextFile(pathname)).matchAll(/^- `(Porthole\w+)`: /gm),
  ].map(([, name]) => name);
  assert.deepEqual(new Set(explained), new Set(names));
  assert.deepEqual(new Set(Object.keys(ALERT_CASES)), new Set(names));
});

Deno.test("every alert has the place of what to do about it, and every share of something a case in which that is rare", async () => {
  const { pathname } = new URL("../../docs/operate.md", import.meta.url);
  const headings = (await Deno.readTextFile(pathname)).matchAll(/^#+ (.+)$/gm);
  const places = [...headings].map(([, heading = ""]) =>
    `docs/operate.md#${heading.toLowerCase().replaceAll(" ", "-")}`
  );
  for (const { alert, expr, annotations } of await alerts()) {
    assert(places.includes(annotations.runbook_url ?? ""), alert);
    const isShare = /\[\d+m\]\)\) \/|\/ sum|quantile/.test(expr);
    assert.equal(ALERT_CASES[alert]?.isRare !== undefined, isShare, alert);
  }
});

Deno.test("every panel that counts by time says so in its title", async () => {
  const text = await readDeployFile("grafana-dashboard.json");
  const { panels } = Dashboard.parse(JSON.parse(text));
  const unsaid = panels.filter(({ fieldConfig, title }) =>
    /^(reqps|cps|Bps)$/.test(fieldConfig?.defaults?.unit ?? "") !==
      /\/s( |$)/.test(title)
  );
  assert.deepEqual(unsaid.map(({ title }) => title), []);
});

test("promtool accepts the rules, and the queries of the dashboard", async () => {
  const checked = await promtool("check", ["rules", "--lint-fatal"], RULES);
  assert.equal(checked.code, 0, checked.out);
  const rules = (await queries()).map((expr, index) => ({
    record: `dashboard:query:${index}`,
    expr: expr.replaceAll("$__rate_interval", "5m")
      .replaceAll("$instance", ".*"),
  }));
  const groups = [{ name: "dashboard", rules }];
  const queried = await promtool("check", ["rules"], { groups });
  assert.equal(queried.code, 0, queried.out);
});

test("every alert fires in its case, and none without its cause", async () => {
  const tests = (await alerts()).flatMap(({ alert, labels, annotations }) => {
    const { fires, isQuiet, isRare, firing = {} } = ALERT_CASES[alert] ?? {};
    const expected = {
      exp_labels: { ...labels, ...OF_A_GATEWAY, ...firing },
      exp_annotations: annotations,
    };
    return [
      [fires, [expected]] as const,
      [isQuiet, []] as const,
      ...isRare === undefined ? [] : [[isRare, []] as const],
    ].map(
      ([series = {}, exp_alerts]) => ({
        interval: "1m",
        input_series: Object.entries(series).map(([name, values]) => ({
          series: name.replace(
            /\}?$/,
            (end) =>
              `${end === "}" ? "," : "{"}job="porthole",instance="gateway"}`,
          ),
          values,
        })),
        alert_rule_test: [{
          eval_time: `${MINUTES}m`,
          alertname: alert,
          exp_alerts,
        }],
      }),
    );
  });
  const tested = await promtool("test", ["rules"], {
    rule_files: [RULES.pathname],
    evaluation_interval: "1m",
    tests,
  });
  assert.equal(tested.code, 0, tested.out);
});

/** The labels that all series of a case have. */
const OF_A_GATEWAY = { job: "porthole", instance: "gateway" };
