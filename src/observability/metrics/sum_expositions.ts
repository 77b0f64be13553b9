/** Combines the metrics of several threads. */
import { buildInfo, METRICS } from "./definitions.ts";
import type { Definition } from "./instruments.ts";

/** How the values of metrics are combined that are not added up. */
const COMBINED: ReadonlyMap<string, "max" | "min"> = new Map(
  [...Object.values<Definition>(METRICS), buildInfo("")]
    .flatMap(({ name, ofThreads }) =>
      ofThreads === undefined ? [] : [[name, ofThreads] as const]
    ),
);

/** Samples by name and labels; comment lines have no value. */
type Lines = Map<string, number | undefined>;

function nameOf(sample: string): string {
  return sample.replace(/\{.*/, "");
}

/** Adds up the texts of several `Metrics.render()`; of what they have in common, one value counts. */
export function sumExpositions(texts: readonly string[]): string {
  const families = new Map<string, Lines>();
  for (const text of texts) {
    let family: Lines = new Map();
    for (const line of text.split("\n")) {
      if (line.startsWith("# HELP ")) {
        family = families.get(line) ?? new Map();
        families.set(line, family);
      }
      if (line.startsWith("#")) family.set(line, undefined);
      else if (line !== "") addSample(family, line);
    }
  }
  const lines = [...families.values()].flatMap((family) => [...family])
    .map(([key, value]) => value === undefined ? key : `${key} ${value}`);
  return `${lines.join("\n")}\n`;
}

function addSample(family: Lines, line: string): void {
  const end = line.lastIndexOf(" ");
  const key = line.slice(0, end);
  const value = Number(line.slice(end));
  const before = family.get(key);
  const combine = COMBINED.get(nameOf(key));
  family.set(
    key,
    before === undefined
      ? value
      : combine === undefined
      ? before + value
      : Math[combine](before, value),
  );
}
