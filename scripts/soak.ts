// deno-lint-ignore-file no-console
/**
 * `deno task soak`: a gateway as `deno task start` runs it under mixed load and trouble, for minutes or hours. Exits 1
 * where something leaks or an outcome has no explanation, 2 where it is not told what to do. Linux only.
 */
import type { Unexplained } from "./soak/accounts.ts";
import { startSoakedGateway } from "./soak/gateway.ts";
import { readMetrics, type Sample } from "./soak/measure.ts";
import { parseOptions, type SoakOptions, USAGE } from "./soak/options.ts";
import { runPhase } from "./soak/phase.ts";
import { formatReport, plotOf } from "./soak/report.ts";
import { comeToRest } from "./soak/rest.ts";
import { faultsOf } from "./soak/verdict.ts";
import { startWorld } from "./soak/world.ts";

const MINUTE_MS = 60_000;
const MIB = 1024 * 1024;

/** The load before the measurement: code is compiled, caches and pools fill up, each trouble comes once, ms. */
const WARM_UP_MS = 60_000;
const WARM_UP_PAUSE_MS = 10_000;

/** Between two troubles, ms. */
const TROUBLE_PAUSE_MS = 25_000;

function say(text: string): void {
  console.log(`${new Date().toISOString()} ${text}`);
}

function tell({ name, outcome, startedAt, endedAt }: Unexplained): void {
  const ms = Math.round(endedAt - startedAt);
  say(`UNEXPLAINED ${name}: ${outcome} after ${ms} ms`);
}

function tellSample(sample: Sample): void {
  say([
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
    onUnexplained: tell,
    onSample: tellSample,
  };
  say(`gateway ${gateway.pid} at port ${gateway.port}: warm-up`);
  const warmUp = await runPhase({
    ...shared,
    durationMs: WARM_UP_MS,
    pauseMs: WARM_UP_PAUSE_MS,
  });
  const before = await comeToRest(gateway, world);
  say(`at rest with ${before.sample.descriptors} descriptors: ${minutes} min`);
  const phase = await runPhase({
    ...shared,
    durationMs: minutes * MINUTE_MS,
    pauseMs: TROUBLE_PAUSE_MS,
  });
  const after = await comeToRest(gateway, world);
  const metrics = await readMetrics(gateway);
  const exitCode = await gateway.stop();
  const { logged, complaints } = gateway;
  const findings = {
    ...phase,
    before,
    after,
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
  const isWell = faultsOf(findings).length === 0 &&
    warmUp.balance.unexplainedCount === 0;
  return isWell ? 0 : 1;
}

const options = parseOptions(Deno.args);
if (options === undefined) {
  console.error(USAGE);
  Deno.exit(2);
}
Deno.exit(await soak(options));
