/** One phase of load: all operations at their pace, trouble by the clock, and a look at the gateway every few seconds. */
import { setTimeout as delay } from "node:timers/promises";
import { createAccounts, type Period, type Unexplained } from "./accounts.ts";
import { createClient } from "./client.ts";
import type { SoakedGateway } from "./gateway.ts";
import { startLoad } from "./lanes.ts";
import { type Sample, takeSample } from "./measure.ts";
import { makeMischief } from "./mischief.ts";
import type { Latencies } from "./report.ts";
import { faults } from "./traffic/faults.ts";
import { shortRequests } from "./traffic/requests.ts";
import { transfers } from "./traffic/transfers.ts";
import { tunnels } from "./traffic/tunnels.ts";
import type { Findings } from "./verdict.ts";
import type { SoakWorld } from "./world.ts";

/** What a phase has shown. */
export interface Phase
  extends Pick<Findings, "samples" | "balance" | "unfinished"> {
  readonly latencies: Latencies;
  /** Times in ms since the phase began. */
  readonly periods: readonly Period[];
}

/** A phase to come. */
export interface PhaseOptions {
  readonly gateway: SoakedGateway;
  readonly world: SoakWorld;
  readonly durationMs: number;
  /** Between two troubles. */
  readonly pauseMs: number;
  readonly onUnexplained: (unexplained: Unexplained) => void;
  readonly onSample: (sample: Sample) => void;
}

const MINUTE_MS = 60_000;

/** Between two looks at the gateway, ms. */
const SAMPLE_EVERY_MS = 5000;

/** Trouble is over for clients who were on their way to it then, ms. */
const AFTERMATH_MS = 1500;

/** Longer than any operation may take to its end, ms. */
const END_TIMEOUT_MS = 30_000;

/** Puts the gateway under load; resolves when all operations have ended. */
export async function runPhase(
  { gateway, world, durationMs, pauseMs, onUnexplained, onSample }:
    PhaseOptions,
): Promise<Phase> {
  const startedAt = performance.now();
  const now = () => performance.now() - startedAt;
  const accounts = createAccounts({ aftermathMs: AFTERMATH_MS, onUnexplained });
  const { port } = gateway;
  using client = createClient(port);
  using runnerClient = createClient(world.door.port);
  const latencies: Record<"through" | "past", number[]>[] = [];
  function onLatency(ms: number, way: "through" | "past"): void {
    const at = now();
    if (at >= durationMs) return; // what ends with the load is not of a minute like the others
    const minute = Math.floor(at / MINUTE_MS);
    (latencies[minute] ??= { through: [], past: [] })[way].push(ms);
  }

  const load = startLoad([
    ...shortRequests({ client, port, runnerClient, onLatency }),
    ...transfers(client),
    ...tunnels(port),
    ...faults(client),
  ], { accounts, now });
  const ending = new AbortController();
  const { signal } = ending;
  const mischief = makeMischief(world, { accounts, now, pauseMs, signal });
  const samples: Sample[] = [];
  while (now() < durationMs) {
    await delay(Math.min(SAMPLE_EVERY_MS, durationMs - now()));
    const sample = await takeSample(gateway, now() / 1000);
    samples.push(sample);
    onSample(sample);
  }
  ending.abort();
  await mischief;
  const unfinished = await load.stop(END_TIMEOUT_MS);
  return {
    samples,
    balance: accounts.balance(),
    periods: accounts.periods(),
    unfinished,
    latencies,
  };
}
