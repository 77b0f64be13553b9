/**
 * `deno task bench --against COMMIT`: this source beside that of another commit, and that commit beside itself, which is how
 * far chance leads.
 */
import { commitFor } from "./anchors.ts";
import { type Comparing, measureSources } from "./comparison.ts";
import { BUSY, CPU, FAULTS } from "./drive.ts";
import { compareProcesses, level, type Processes, verdict } from "./paired.ts";
import { digits, line } from "./report.ts";
import type { Scenario } from "./scenario.ts";
import { isKnown } from "./sources.ts";

/** What a change is measured by, unless scenarios are named. */
export const COMPARED: readonly string[] = [
  "public",
  "private",
  "echo-128",
  "echo-64k",
  "body-64k",
  "upload-64k",
];

/** What is compared with the anchor in a hurry. */
export const COMPARED_BRIEFLY: readonly string[] = ["public", "private"];

/** Below this, a rate is that of the load, and only the processor time tells of the gateway. */
const SATURATED = 90;

/**
 * Compares scenarios with those of a commit, or of each one's anchor, and calls back with lines about each: also of those
 * that cannot be compared, with the reason.
 */
export async function compareWith(
  against: string,
  { scenarios, loadOf, pace, checkOut, onLines }: Comparing,
): Promise<void> {
  for (const scenario of scenarios) {
    const commit = commitFor(scenario.name, against);
    try {
      if (!await isKnown(commit)) {
        throw new Error("this clone does not have that commit");
      }
      await using source = await checkOut(commit);
      const base = { name: commit, folder: source.folder };
      const sources = [base, { name: "this source" }, base];
      const measured = await measureSources(loadOf(scenario), sources, pace);
      await onLines(formatComparison(scenario, commit, measured));
    } catch (error) {
      const reason = error instanceof Error ? error.message : `${error}`;
      await onLines(
        `${scenario.name}: not compared with ${commit}: ${reason}\n`,
      );
    }
  }
}

/** The quantities that a source is judged by: not how busy it was, nor p99 of one second. */
export function isJudged(quantity: string): boolean {
  return [CPU, FAULTS].includes(quantity) || quantity.endsWith("/s");
}

/** Formats what was measured of a commit, of this source, and of the commit again. */
export function formatComparison(
  { name, about }: Pick<Scenario, "name" | "about">,
  commit: string,
  [base = [], own = [], itself = []]: readonly Processes[],
): string {
  const quantities = Object.keys(base[0]?.[0] ?? {}).filter(isJudged);
  const lines = quantities.map((quantity) => {
    const compared = compareProcesses(quantity, {
      base,
      itself,
      others: [own],
    });
    const ratio = compared?.ratios[0];
    return line(quantity, [
      ...compared === undefined || ratio === undefined ? ["-", "-", "-"] : [
        ratio.toFixed(3),
        `± ${compared.error.toFixed(3)}`,
        compared.itself.toFixed(3),
      ],
      ...[own, base].map((processes) => {
        const median = level(processes, quantity);
        return median === undefined ? "-" : digits(median);
      }),
      compared === undefined || ratio === undefined
        ? ""
        : verdict(ratio, compared),
    ]);
  });
  const busy = Math.min(...[own, base].map((all) => level(all, BUSY) ?? NaN));
  return [
    `${name}: ${about}\n`,
    line(`  against ${commit}`, [
      "ratio",
      "error",
      "itself",
      "here",
      "there",
      "",
    ]),
    ...lines,
    busy < SATURATED
      ? `  Only ${
        digits(busy)
      } % busy: the rate is that of the load; judge by ${CPU}.\n`
      : "",
  ].join("");
}
