// deno-lint-ignore-file no-console
/**
 * `deno task soak`: a gateway, started the way `deno task start` does, under mixed load and trouble for minutes or
 * hours. Exits with 1 if something leaks or an outcome has no explanation, with 2 if the options are invalid. Linux
 * only.
 */
import { parseArgs } from "node:util";
import { positiveNumber, runTask } from "../support/options.ts";
import type { Unexplained } from "./accounts.ts";
import { startSoakedGateway } from "./gateway.ts";
import { readMetrics, type Sample } from "./measure.ts";
import { runPhase } from "./phase.ts";
import { startScraping } from "./prometheus.ts";
import { formatReport, plotOf } from "./report.ts";
import { comeToRest } from "./rest.ts";
import { watchStatus } from "./status_watch.ts";
import { faultsOf } from "./verdict.ts";
import { startWorld } from "./world.ts";

const USAGE =
  "usage: deno task soak [--minutes N] [--plot FILE.svg] [--samples FILE.json]";

interface SoakOptions {
  /** Duration of the load that is measured, 20 by default; warm-up and shutdown come on top. */
  readonly minutes: number;
  /** The file to write the chart to, if any. */
  readonly plot: string | undefined;
  /** The file to write the samples to as JSON, if any. */
  readonly samples: string | undefined;
}

const MINUTE_MS = 60_000;
const MIB = 1024 * 1024;

/** Load before the measurement, ms: code is compiled, caches and pools fill up, each trouble occurs once. */
const WARM_UP_MS = 60_000;
const WARM_UP_PAUSE_MS = 10_000;

/** Between two troubles, ms. */
const TROUBLE_PAUSE_MS = 25_000;

function parseOptions(args: readonly string[]): SoakOptions {
  const { values: { minutes, plot, samples } } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: "string", default: "20" },
      plot: { type: "string" },
      samples: { type: "string" },
    },
  });
  return { minutes: positiveNumber("minutes", minutes), plot, samples };
}

function log(text: string): void {
  console.log(`${new Date().toISOString()} ${text}`);
}

function logUnexplained(
  { name, outcome, startedAt, endedAt }: Unexplained,
): void {
  const ms = Math.round(endedAt - startedAt);
  log(`UNEXPLAINED ${name}: ${outcome} after ${ms} ms`);
}

function logSample(sample: Sample): void {
  log([
    `${sample.atSec.toFixed(0)} s:`,
    `${(sample.residentBytes / MIB).toFixed(1)} MiB resident,`,
    `${(sample.heapUsedBytes / MIB).toFixed(1)} MiB heap,`,
    `${sample.descriptors} descriptors,`,
    `${sample.inFlight} in flight, ${sample.tunnels} tunnels,`,
    `/health ${sample.healthMs.toFixed(1)} ms`,
  ].join(" "));
}

async function soak(
  { minutes, plot, samples: samplesFile }: SoakOptions,
): Promise<number> {
  await using world = await startWorld();
  await using gateway = await startSoakedGateway(world.environment);
  const shared = {
    gateway,
    world,
    onUnexplained: logUnexplained,
    onSample: logSample,
  };
  log(`warming up: gateway ${gateway.pid} on port ${gateway.port}`);
  const warmUp = await runPhase({
    ...shared,
    durationMs: WARM_UP_MS,
    pauseMs: WARM_UP_PAUSE_MS,
  });
  const before = await comeToRest(gateway, world);
  log(
    `at rest with ${before.sample.descriptors} descriptors, now ${minutes} min of load`,
  );
  const endWatch = await watchStatus(gateway);
  await using scraping = await startScraping(gateway);
  if (scraping === undefined) {
    log("skipped: prometheus is not installed, so nothing scrapes the gateway");
  }
  const phase = await runPhase({
    ...shared,
    durationMs: minutes * MINUTE_MS,
    pauseMs: TROUBLE_PAUSE_MS,
  });
  const statusWatch = await endWatch();
  const scrapes = await scraping?.end();
  const after = await comeToRest(gateway, world, before.sample.descriptors);
  const metrics = await readMetrics(gateway);
  const exitCode = await gateway.stop();
  const { logged, complaints } = gateway;
  const findings = {
    ...phase,
    before,
    after,
    statusWatch,
    scrapes,
    unfinished: [...warmUp.unfinished, ...phase.unfinished],
    metrics,
    logged,
    complaints,
    exitCode,
  };
  console.log(`\n${formatReport(findings, phase.latencies)}`);
  if (plot !== undefined) await Deno.writeTextFile(plot, plotOf(phase));
  if (samplesFile !== undefined) {
    await Deno.writeTextFile(samplesFile, JSON.stringify(phase.samples));
  }
  const hasPassed = faultsOf(findings).length === 0 &&
    warmUp.outcomes.unexplainedCount === 0;
  return hasPassed ? 0 : 1;
}

await runTask({ usage: USAGE, parse: parseOptions, run: soak });
