/**
 * One phase of load: all operations at their rates, scheduled troubles, and a sample of the gateway every few seconds.
 */
import { setTimeout as delay } from "node:timers/promises";
import { failureOf, LoadClient } from "../support/load_client.ts";
import {
  Accounts,
  type Expectation,
  type Period,
  type Unexplained,
} from "./accounts.ts";
import type { SoakedGateway } from "./gateway.ts";
import { injectTroubles } from "./inject_troubles.ts";
import { type Sample, takeSample } from "./measure.ts";
import { startLoad } from "./operations.ts";
import { watchOwnStalls } from "./own_stalls.ts";
import type { Latencies } from "./report.ts";
import { faults } from "./traffic/faults.ts";
import { type Route, shortRequests } from "./traffic/requests.ts";
import { transfers } from "./traffic/transfers.ts";
import { tunnels } from "./traffic/tunnels.ts";
import type { Findings } from "./verdict.ts";
import { HOSTILE_HOSTS, hostOf, PORTS, type SoakWorld } from "./world.ts";

/** The results of a phase. */
export interface Phase
  extends Pick<Findings, "samples" | "outcomes" | "unfinished"> {
  readonly latencies: Latencies;
  /** Times in ms since the phase began. */
  readonly periods: readonly Period[];
}

/** The parameters of a phase. */
export interface PhaseOptions {
  readonly gateway: SoakedGateway;
  readonly world: SoakWorld;
  readonly durationMs: number;
  /** Between two troubles, ms. */
  readonly pauseMs: number;
  readonly onUnexplained: (unexplained: Unexplained) => void;
  readonly onSample: (sample: Sample) => void;
}

const MINUTE_MS = 60_000;

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
  const accounts = new Accounts({ aftermathMs: AFTERMATH_MS, onUnexplained });
  const { port } = gateway;
  using client = new LoadClient(port);
  using runnerClient = new LoadClient(world.door.port);
  const latencies: Record<Route, number[]>[] = [];
  function onLatency(ms: number, route: Route): void {
    const at = now();
    // The last requests end after the load, in a minute unlike the others.
    if (at >= durationMs) return;
    const minute = Math.floor(at / MINUTE_MS);
    (latencies[minute] ??= { through: [], direct: [] })[route].push(ms);
  }

  const endWatch = watchOwnStalls({ accounts, now });
  const load = startLoad([
    ...shortRequests({ client, port, runnerClient, onLatency }),
    ...transfers(client),
    ...tunnels(port),
    ...faults(client),
  ], { accounts, now });
  const stopAttack = world.attackers.attack({
    port,
    hosts: HOSTILE_HOSTS,
    innocent: hostOf(PORTS.app, "demo"),
  });
  const stopping = new AbortController();
  const { signal } = stopping;
  const troubles = injectTroubles(world, { accounts, now, pauseMs, signal });
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
      accounts.record(SAMPLE, { outcome, startedAt, endedAt: now() });
    }
  }
  stopping.abort();
  await Promise.all([troubles, stopAttack()]);
  const unfinished = await load.stop(END_TIMEOUT_MS);
  endWatch();
  return {
    samples,
    outcomes: accounts.summary(),
    periods: accounts.periods,
    unfinished,
    latencies,
  };
}
