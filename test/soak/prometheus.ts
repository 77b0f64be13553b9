/** A Prometheus that scrapes the gateway under load, with the alert rules that users are given. */
import { freePort } from "../support/free_port.ts";
import { isInstalled } from "../support/programs.ts";
import { startServerProcess } from "../support/server_process.ts";
import type { SoakedGateway } from "./gateway.ts";

/** What Prometheus has seen. */
export interface Scrapes {
  readonly count: number;
  /** Those that got no metrics. */
  readonly failed: number;
  readonly slowestMs: number;
  /** For how long each alert was firing, s, by its name. */
  readonly fired: ReadonlyMap<string, number>;
}

/** A Prometheus at work; disposing of it kills it. */
export interface Scraping extends AsyncDisposable {
  /** Resolves to what was seen so far, and ends it. */
  end(): Promise<Scrapes>;
}

/** A range of samples as Prometheus' API has it. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [atSec: number, value: string])[];
}

const RULES = new URL(
  "../../scripts/deploy/prometheus-rules.yaml",
  import.meta.url,
);

/** Between two scrapes, and two looks at the rules, s; also what a scrape may take. */
const EVERY_SEC = 5;

const START_TIMEOUT_MS = 20_000;

/** Begins to scrape; undefined where Prometheus is not installed. */
export async function startScraping(
  { metricsPort }: Pick<SoakedGateway, "metricsPort">,
): Promise<Scraping | undefined> {
  if (!await isInstalled("prometheus")) return undefined;
  const folder = await Deno.makeTempDir({ prefix: "porthole-soak-" });
  await using started = new AsyncDisposableStack();
  started.defer(() => Deno.remove(folder, { recursive: true }));
  const config = `${folder}/prometheus.yaml`;
  await Deno.writeTextFile(config, configFor(metricsPort));
  const port = freePort();
  started.use(
    await startServerProcess({
      command: [
        "prometheus",
        `--config.file=${config}`,
        `--storage.tsdb.path=${folder}/data`,
        `--web.listen-address=127.0.0.1:${port}`,
        "--log.level=error",
      ],
      port,
      timeoutMs: START_TIMEOUT_MS,
    }),
  );
  const startedAt = performance.now();
  const owned = started.move();
  return {
    async end() {
      const sec = Math.ceil((performance.now() - startedAt) / 1000);
      const query = (selector: string) => read(port, `${selector}[${sec}s]`);
      const scrapes = scrapesOf({
        up: await query('up{job="porthole"}'),
        durations: await query('scrape_duration_seconds{job="porthole"}'),
        alerts: await query('ALERTS{alertstate="firing"}'),
      });
      await owned.disposeAsync();
      return scrapes;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The configuration, in JSON, which is YAML. */
function configFor(metricsPort: number): string {
  return JSON.stringify({
    global: {
      scrape_interval: `${EVERY_SEC}s`,
      scrape_timeout: `${EVERY_SEC}s`,
      evaluation_interval: `${EVERY_SEC}s`,
    },
    rule_files: [RULES.pathname],
    scrape_configs: [{
      job_name: "porthole",
      static_configs: [{ targets: [`127.0.0.1:${metricsPort}`] }],
    }],
  });
}

/** The samples that a range selector finds, up to now. */
async function read(port: number, query: string): Promise<Series[]> {
  const url = new URL(`http://127.0.0.1:${port}/api/v1/query`);
  url.searchParams.set("query", query);
  const response = await fetch(url);
  const { data, error } = await response.json();
  if (!response.ok) throw new Error(`${query}: ${error}`);
  return data.result;
}

/** Sums up samples of `up`, of `scrape_duration_seconds`, and of the alerts that fired. */
export function scrapesOf(
  { up, durations, alerts }: Readonly<
    Record<"up" | "durations" | "alerts", readonly Series[]>
  >,
): Scrapes {
  const values = (series: readonly Series[]) =>
    series.flatMap(({ values }) => values.map(([, value]) => Number(value)));
  const fired = new Map<string, number>();
  for (const { metric: { alertname = "" }, values } of alerts) {
    const sec = values.length * EVERY_SEC;
    fired.set(alertname, Math.max(sec, fired.get(alertname) ?? 0));
  }
  const ups = values(up);
  return {
    count: ups.length,
    failed: ups.filter((value) => value === 0).length,
    slowestMs: Math.max(0, ...values(durations)) * 1000,
    fired,
  };
}
