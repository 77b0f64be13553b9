/** Measures whether the time for an octet grows with the number of octets. */
import type { Growth } from "../../test/fuzz/growth.ts";

/** Octets of the shorter and the longer inputs; the longer ones are twice what any head may have. */
const SHORT = 8 * 1024;
const LONG = 128 * 1024;

/** What is quadratic takes 16 times as long for an octet; caches and the collector account for less than this. */
const MAX_GROWTH = 4;

/** At this, a head of 64 KiB keeps the whole gateway busy for a tenth of a second. */
const MAX_NS = 1500;

const SAMPLES = 5;
/** How long one sample runs at least, so that the clock is fine enough. */
const SAMPLE_MS = 1;

/** Time for an octet, ns. */
export interface Measured {
  readonly name: string;
  readonly short: number;
  readonly long: number;
  readonly isFair: boolean;
}

/** Measures one; what seems to grow is measured again, since something else may have been running. */
export function measureGrowth(growth: Growth): Measured {
  for (let attempt = 1;; attempt++) {
    const short = nsPerOctet(growth, SHORT);
    const long = nsPerOctet(growth, LONG);
    const isFair = long < MAX_NS && (long <= short * MAX_GROWTH || long < 1);
    if (isFair || attempt === 3) {
      return { name: growth.name, short, long, isFair };
    }
  }
}

function nsPerOctet(growth: Growth, octets: number): number {
  const run = growth.prepare(octets);
  let best = Infinity;
  for (let sample = 0; sample < SAMPLES; sample++) {
    const start = performance.now();
    let runs = 0;
    let elapsed = 0;
    do {
      run();
      runs++;
      elapsed = performance.now() - start;
    } while (elapsed < SAMPLE_MS);
    best = Math.min(best, elapsed / runs);
  }
  return best * 1e6 / octets;
}
