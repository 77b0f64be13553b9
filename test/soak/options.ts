/** The options of `deno task soak`. */
import { parseArgs } from "node:util";

/** How long to run, and what to write. */
export interface SoakOptions {
  /** Duration of the load that is measured; warm-up and shutdown come on top. */
  readonly minutes: number;
  /** The file to write the plot to, if any. */
  readonly plot: string | undefined;
  /** The file to write the samples to as JSON, if any. */
  readonly samples: string | undefined;
}

/** Usage, as one line. */
export const USAGE =
  "usage: deno task soak [--minutes N] [--plot FILE.svg] [--samples FILE.json]";

const DEFAULT_MINUTES = "20";

/** Reads the options; undefined if they do not conform to {@linkcode USAGE}. */
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
