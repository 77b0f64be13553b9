/** The gateway with nothing to do: what it holds then is what it keeps. */
import { setTimeout as delay } from "node:timers/promises";
import type { SoakedGateway } from "./gateway.ts";
import { type Sample, takeSample } from "./measure.ts";
import type { SoakWorld } from "./world.ts";

/** What was seen of a gateway that has come to rest, or has not. */
export interface Rest {
  readonly isAtRest: boolean;
  readonly sample: Sample;
  /** How often in a second the main thread was woken, with nothing to do. */
  readonly wakesPerSec: number;
}

/** Longer than connections to runners are kept, and than any deadline of the gateway's, ms. */
const REST_TIMEOUT_MS = 60_000;

/** As many looks with the same descriptors show that no more are on their way. */
const LOOKS = 3;

const PAUSE_MS = 1000;

/** Over how long wakes are counted, ms. */
const WATCH_MS = 10_000;

function isIdle(sample: Sample): boolean {
  return sample.inFlight === 0 && sample.tunnels === 0 &&
    sample.idleConnections === 0 && sample.activeConnections === 0;
}

/** Waits until nothing is under way. The API cuts the connections that wait for further questions. */
export async function comeToRest(
  gateway: SoakedGateway,
  { stack: { api } }: SoakWorld,
): Promise<Rest> {
  const until = performance.now() + REST_TIMEOUT_MS;
  let sample = await takeSample(gateway, 0);
  let looks = 0;
  while (looks < LOOKS && performance.now() < until) {
    await api.stop();
    api.restart();
    await delay(PAUSE_MS);
    const { descriptors } = sample;
    sample = await takeSample(gateway, 0);
    looks = isIdle(sample) && sample.descriptors === descriptors
      ? looks + 1
      : 0;
  }
  await delay(WATCH_MS);
  const { sleeps } = await takeSample(gateway, 0);
  return {
    isAtRest: looks >= LOOKS,
    sample,
    wakesPerSec: (sleeps - sample.sleeps) * 1000 / WATCH_MS,
  };
}
