/** A Prometheus that scrapes the gateway under load, with the alert rules that users are given. */
import { freePort } from "../../../support/free_port.ts";
import { isInstalled } from "../../../support/programs.ts";
import { startServerProcess } from "../../../support/server_process.ts";
import type { GatewayProcess } from "../../harness/gateway.ts";

/** A Prometheus at work; disposing of it kills it. */
export interface AlertWatch extends AsyncDisposable {
  /**
   * Resolves to the names of the alerts that have fired so far.
   *
   * @throws {Error} if it has not scraped the gateway.
   */
  fired(): Promise<readonly string[]>;
}

const RULES = new URL(
  "../../../../scripts/deploy/prometheus-rules.yaml",
  import.meta.url,
);

/** Between two scrapes, and two looks at the rules. */
const EVERY = "5s";

const START_TIMEOUT_MS = 20_000;

/** Begins to watch; undefined where Prometheus is not installed. */
export async function watchAlerts(
  { metricsPort }: Pick<GatewayProcess, "metricsPort">,
): Promise<AlertWatch | undefined> {
  if (!await isInstalled("prometheus")) return undefined;
  await using started = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "porthole-soak-" });
  started.defer(() => Deno.remove(folder, { recursive: true }));
  const config = `${folder}/prometheus.yaml`;
  // JSON is YAML.
  const text = JSON.stringify({
    global: { scrape_interval: EVERY, evaluation_interval: EVERY },
    rule_files: [RULES.pathname],
    scrape_configs: [{
      job_name: "porthole",
      scrape_timeout: EVERY,
      static_configs: [{ targets: [`127.0.0.1:${metricsPort}`] }],
    }],
  });
  await Deno.writeTextFile(config, text);
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
    async fired() {
      const sec = Math.ceil((performance.now() - startedAt) / 1000);
      const scrapes = await ask(port, `sum_over_time(up[${sec}s]) > 0`);
      if (scrapes.length === 0) throw new Error("Prometheus did not scrape");
      const firing = `last_over_time(ALERTS{alertstate="firing"}[${sec}s])`;
      const alerts = await ask(port, firing);
      return [...new Set(alerts.map(({ alertname = "" }) => alertname))];
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The labels of the series that a query finds. */
async function ask(
  port: number,
  query: string,
): Promise<Readonly<Record<string, string>>[]> {
  const url = new URL(`http://127.0.0.1:${port}/api/v1/query`);
  url.searchParams.set("query", query);
  const response = await fetch(url);
  const { data, error } = await response.json();
  if (!response.ok) throw new Error(`${query}: ${error}`);
  return data.result.map(
    ({ metric }: { metric: Readonly<Record<string, string>> }) => metric,
  );
}
