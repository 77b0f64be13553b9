/**
 * One phase of load: all operations at their rates, scheduled troubles, and a sample of the gateway every few seconds.
 */
import { setTimeout as delay } from "node:timers/promises";
import { failureOf, LoadClient } from "../../../support/load_client.ts";
import type { GatewayProcess } from "../../harness/gateway.ts";
import { PATIENCE_MS, startLoad } from "./load.ts";
import { type Expectation, Outcomes, type Unexplained } from "./outcomes.ts";
import type { Latencies } from "./report.ts";
import { type Sample, takeSample } from "./sample.ts";
import { faults } from "./traffic/faults.ts";
import { type Route, shortRequests } from "./traffic/requests.ts";
import { transfers } from "./traffic/transfers.ts";
import { tunnels } from "./traffic/tunnels.ts";
import { injectTroubles, watchOwnStalls } from "./troubles.ts";
import type { Findings } from "./verdict.ts";
import { DEMO, HOSTILE_HOSTS, type SoakWorld } from "./world.ts";

/** The results of a phase. */
export interface Phase
  extends Pick<Findings, "samples" | "outcomes" | "unfinished"> {
  readonly latencies: Latencies;
}

/** The parameters of a phase. */
export interface PhaseOptions {
  readonly gateway: GatewayProcess;
  readonly world: SoakWorld;
  readonly durationMs: number;
  /** Between two troubles, ms. */
  readonly pauseMs: number;
  readonly onUnexplained: (unexplained: Unexplained) => void;
  readonly onSample: (sample: Sample) => void;
}

/** Between two samples, ms. */
const SAMPLE_EVERY_MS = 5000;

/** A sample that cannot be taken has no explanation. */
const SAMPLE: Expectation = { name: "sample", expected: [] };

/** Trouble may affect operations for this long after its end, ms: some were under way, some wait for a retry. */
const AFTERMATH_MS = 1500;

/** Longer than any operation may take to end, ms. */
const END_TIMEOUT_MS = 30_000;

/** Puts the gateway under load; resolves when all operations have ended, or should have. */
export async function runPhase(
  { gateway, world, durationMs, pauseMs, onUnexplained, onSample }:
    PhaseOptions,
): Promise<Phase> {
  const startedAt = performance.now();
  const now = () => performance.now() - startedAt;
  const outcomes = new Outcomes(AFTERMATH_MS, onUnexplained);
  const { port, metricsPort } = gateway;
  const runnerPort = Number(new URL(world.stack.runner.url).port);
  using client = new LoadClient(port, undefined, PATIENCE_MS);
  using statusClient = new LoadClient(metricsPort, undefined, PATIENCE_MS);
  using runnerClient = new LoadClient(runnerPort, undefined, PATIENCE_MS);
  const latencies: Record<Route, number[]> = { through: [], direct: [] };
  function onLatency(ms: number, route: Route): void {
    latencies[route].push(ms);
  }

  const endWatch = watchOwnStalls({ outcomes, now });
  const load = startLoad([
    ...shortRequests({ client, port, runnerClient, onLatency }),
    ...transfers(client, statusClient),
    ...tunnels(port),
    ...faults(client),
  ], { outcomes, now });
  await world.attackers.call("attack", {
    port,
    hosts: HOSTILE_HOSTS,
    innocent: DEMO,
  });
  const stopping = new AbortController();
  const { signal } = stopping;
  const troubles = injectTroubles(world, { outcomes, now, pauseMs, signal });
  const samples: Sample[] = [];
  while (now() < durationMs) {
    await delay(Math.min(SAMPLE_EVERY_MS, durationMs - now()));
    const startedAt = now();
    try {
      const sample = await takeSample(gateway, startedAt / 1000);
      samples.push(sample);
      onSample(sample);
    } catch (error) {
      const outcome = failureOf(error);
      outcomes.record(SAMPLE, { outcome, startedAt, endedAt: now() });
    }
  }
  stopping.abort();
  await Promise.all([troubles, world.attackers.call("stop")]);
  const unfinished = await load.stop(END_TIMEOUT_MS);
  endWatch();
  return { samples, outcomes: outcomes.summary(), unfinished, latencies };
}
