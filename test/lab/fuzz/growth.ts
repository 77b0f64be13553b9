/** Inputs that make a careless parser read the same bytes over and over: the time per byte must not grow. */
import { fromLatin1 } from "../../support/latin1.ts";

/** One function with one kind of input. */
export interface Growth {
  readonly name: string;
  /** Builds an input of about `bytes` bytes, and returns a function that parses it. */
  prepare(bytes: number): () => void;
}

/** Texts that repeat one token, with `around` to make parsers fail late. */
export function repeated(
  name: string,
  tokens: readonly string[],
  run: (text: string) => void,
  around: readonly [before: string, behind: string] = ["", ""],
): Growth[] {
  return growths(name, tokens, around, (text) => () => run(text));
}

/** The same as bytes, encoded before the measurement starts. */
export function repeatedBytes(
  name: string,
  tokens: readonly string[],
  run: (bytes: Uint8Array<ArrayBuffer>) => void,
  around: readonly [before: string, behind: string] = ["", ""],
): Growth[] {
  return growths(name, tokens, around, (text) => {
    const bytes = fromLatin1(text);
    return () => run(bytes);
  });
}

function growths(
  name: string,
  tokens: readonly string[],
  [before, behind]: readonly [before: string, behind: string],
  prepare: (text: string) => () => void,
): Growth[] {
  return tokens.map((token) => ({
    name: `${name} of ${JSON.stringify(token)}`,
    prepare: (bytes) =>
      prepare(before + token.repeat(Math.ceil(bytes / token.length)) + behind),
  }));
}

/** Whitespace, and characters that some parsers take for it. */
export const BLANKS: readonly string[] = [" ", "\t", "\xa0"];

/** Lengths of the short and the long inputs, bytes; the long ones are twice as long as any head may be. */
const SHORT = 8 * 1024;
const LONG = 128 * 1024;

/**
 * A quadratic parser takes 16 times as long per byte; CPU caches and garbage collection account for less than this.
 */
const MAX_GROWTH = 4;

/** At this rate, ns per byte, a head of 64 KiB blocks the gateway for a tenth of a second. */
const MAX_NS = 1500;

const SAMPLES = 5;
/** The minimum duration of a sample, ms, given the resolution of the clock. */
const SAMPLE_MS = 1;

/** The measured time per byte, ns, for short and for long inputs. */
export interface Measured {
  readonly name: string;
  readonly short: number;
  readonly long: number;
  readonly isLinear: boolean;
}

/** Measures one parser; if its time seems to grow, it is measured again, since something else may have been running. */
export function measureGrowth(growth: Growth): Measured {
  for (let attempt = 1;; attempt++) {
    const short = nsPerByte(growth, SHORT);
    const long = nsPerByte(growth, LONG);
    const isLinear = long < MAX_NS && (long <= short * MAX_GROWTH || long < 1);
    if (isLinear || attempt === 3) {
      return { name: growth.name, short, long, isLinear };
    }
  }
}

function nsPerByte(growth: Growth, bytes: number): number {
  const run = growth.prepare(bytes);
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
  return best * 1e6 / bytes;
}
