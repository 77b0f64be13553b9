/** Measures whether a parser's time per octet grows with the length of its input. */
import type { Growth } from "../growth.ts";

/** Lengths of the short and the long inputs, octets; the long ones are twice as long as any head may be. */
const SHORT = 8 * 1024;
const LONG = 128 * 1024;

/**
 * A quadratic parser takes 16 times as long per octet; CPU caches and garbage collection account for less than this.
 */
const MAX_GROWTH = 4;

/** At this rate, ns per octet, a head of 64 KiB blocks the gateway for a tenth of a second. */
const MAX_NS = 1500;

const SAMPLES = 5;
/** The minimum duration of a sample, ms, given the resolution of the clock. */
const SAMPLE_MS = 1;

/** The measured time per octet, ns, for short and for long inputs. */
export interface Measured {
  readonly name: string;
  readonly short: number;
  readonly long: number;
  readonly isLinear: boolean;
}

/** Measures one parser; if its time seems to grow, it is measured again, since something else may have been running. */
export function measureGrowth(growth: Growth): Measured {
  for (let attempt = 1;; attempt++) {
    const short = nsPerOctet(growth, SHORT);
    const long = nsPerOctet(growth, LONG);
    const isLinear = long < MAX_NS && (long <= short * MAX_GROWTH || long < 1);
    if (isLinear || attempt === 3) {
      return { name: growth.name, short, long, isLinear };
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
