/** The options of `deno task soak`. */
import { parseArgs } from "node:util";

/** How long, and what to write. */
export interface SoakOptions {
  /** Of the load that is measured; the warm-up and the end come on top. */
  readonly minutes: number;
  /** Where the plot goes; undefined: nowhere. */
  readonly plot: string | undefined;
  /** Where the samples go, as JSON; undefined: nowhere. */
  readonly samples: string | undefined;
}

/** Usage, as one line. */
export const USAGE =
  "usage: deno task soak [--minutes N] [--plot FILE.svg] [--samples FILE.json]";

const DEFAULT_MINUTES = "20";

/** Reads the options; undefined where they are not what {@linkcode USAGE} says. */
export function parseOptions(args: readonly string[]): SoakOptions | undefined {
  try {
    const { values: { minutes = DEFAULT_MINUTES, plot, samples } } = parseArgs({
      args: [...args],
      options: {
        minutes: { type: "string" },
        plot: { type: "string" },
        samples: { type: "string" },
      },
    });
    if (!/^\d+(?:\.\d+)?$/.test(minutes) || Number(minutes) <= 0) {
      return undefined;
    }
    return { minutes: Number(minutes), plot, samples };
  } catch {
    return undefined;
  }
}
