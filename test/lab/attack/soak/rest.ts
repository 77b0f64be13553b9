/** The gateway at rest: memory, descriptors and timers that it still holds without work are leaks. */
import { setTimeout as delay } from "node:timers/promises";
import type { GatewayProcess } from "../../harness/gateway.ts";
import { type Sample, takeSample } from "./sample.ts";
import type { SoakWorld } from "./world.ts";

/** The state of a gateway that has come to rest, or failed to. */
export interface Rest {
  readonly isAtRest: boolean;
  readonly sample: Sample;
  /** Wake-ups of the main thread per second, with nothing to do, in the calmest of three times. */
  readonly wakesPerSec: number;
}

/** Longer than idle connections to runners are kept, and than any deadline of the gateway's, ms. */
const REST_TIMEOUT_MS = 120_000;

/** So many samples in a row with the same number of descriptors show that no more are about to be closed. */
const STEADY_SAMPLES = 3;

const PAUSE_MS = 1000;

/** The time for which wake-ups are counted, ms, and how often: a timer that was not cleared wakes it each time. */
const WATCH_MS = 10_000;
const WATCHES = 3;

function isIdle(sample: Sample): boolean {
  return sample.inFlight === 0 && sample.tunnels === 0 &&
    sample.idleConnections === 0 && sample.activeConnections === 0;
}

/**
 * Waits until nothing is under way, and no more than `atMost` descriptors are open, if that can be; the API is restarted
 * meanwhile, to close the gateway's idle connections to it.
 */
export async function comeToRest(
  gateway: GatewayProcess,
  { stack: { api } }: SoakWorld,
  atMost = Infinity,
): Promise<Rest> {
  const deadline = performance.now() + REST_TIMEOUT_MS;
  let sample = await takeSample(gateway, 0);
  let steady = 0;
  while (steady < STEADY_SAMPLES && performance.now() < deadline) {
    await api.stop();
    api.restart();
    await delay(PAUSE_MS);
    const { descriptors } = sample;
    sample = await takeSample(gateway, 0);
    const isSteady = sample.descriptors === descriptors;
    steady = isIdle(sample) && isSteady && descriptors <= atMost
      ? steady + 1
      : 0;
  }
  let { sleeps } = sample;
  let fewestSleeps = Infinity;
  for (let watch = 0; watch < WATCHES; watch++) {
    await delay(WATCH_MS);
    const before = sleeps;
    ({ sleeps } = await takeSample(gateway, 0));
    fewestSleeps = Math.min(fewestSleeps, sleeps - before);
  }
  return {
    isAtRest: steady >= STEADY_SAMPLES,
    sample,
    wakesPerSec: fewestSleeps * 1000 / WATCH_MS,
  };
}
