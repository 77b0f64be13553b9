// deno-lint-ignore-file no-console
/** `deno task attack --minutes N`: a gateway under mixed load, hostile sandboxes and trouble, for minutes or hours. */
import { MIB } from "../attack.ts";
import { startGatewayProcess } from "../../harness/gateway.ts";
import { watchAlerts } from "./alerts.ts";
import type { Unexplained } from "./outcomes.ts";
import { runPhase } from "./phase.ts";
import { formatReport } from "./report.ts";
import { comeToRest } from "./rest.ts";
import { readMetrics, type Sample } from "./sample.ts";
import { faultsOf } from "./verdict.ts";
import { startWorld } from "./world.ts";

const MINUTE_MS = 60_000;

/** Load before the measurement, ms: code is compiled, caches and pools fill up, each trouble occurs once. */
const WARM_UP_MS = 60_000;
const WARM_UP_PAUSE_MS = 10_000;

/** Between two troubles, ms. */
const TROUBLE_PAUSE_MS = 25_000;

/** Longer than the gateway's settings permit a stop to take, ms. */
const STOP_TIMEOUT_MS = 60_000;

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

/**
 * Soaks a gateway, and prints a summary; resolves to 1 if something leaks or an outcome has no explanation, else to 0.
 *
 * @param minutes the duration of the load that is measured; warm-up and rest come on top
 * @param folder the checkout whose gateway it is; this one by default
 */
export async function soak(minutes: number, folder?: string): Promise<number> {
  await using world = await startWorld();
  const { environment } = world;
  await using gateway = await startGatewayProcess({ folder, environment });
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
  await using watch = await watchAlerts(gateway);
  const phase = await runPhase({
    ...shared,
    durationMs: minutes * MINUTE_MS,
    pauseMs: TROUBLE_PAUSE_MS,
  });
  const alerts = await watch?.fired();
  await watch?.[Symbol.asyncDispose]();
  const after = await comeToRest(gateway, world, before.sample.descriptors);
  const metrics = await readMetrics(gateway);
  await gateway.askToStop(STOP_TIMEOUT_MS);
  const exitCode = await gateway.exitCode(STOP_TIMEOUT_MS);
  const { logged, complaints } = gateway;
  const unexplainedCount = warmUp.outcomes.unexplainedCount +
    phase.outcomes.unexplainedCount;
  const findings = {
    ...phase,
    outcomes: { ...phase.outcomes, unexplainedCount },
    before,
    after,
    alerts,
    unfinished: [...warmUp.unfinished, ...phase.unfinished],
    metrics,
    logged,
    complaints,
    exitCode,
  };
  console.log(`\n${formatReport(findings, phase.latencies)}`);
  return faultsOf(findings).length === 0 ? 0 : 1;
}
