/** The results in docs/performance.md: regions between marks, which a run with `--save` rewrites. */
import type { Growth } from "./growth.ts";
import type { MachineDescription } from "./machine.ts";
import { digits, formatResult, type Judgement, type Result } from "./report.ts";

/** A region of a page. */
export type Region = "bench" | "growth";

/**
 * Replaces the text of a region.
 *
 * @throws {Error} if the page has no such region.
 */
export function fillRegion(
  page: string,
  region: Region,
  text: string,
): string {
  const [start, end] = [`<!-- ${region}:start -->`, `<!-- ${region}:end -->`];
  const from = page.indexOf(start);
  const to = page.indexOf(end);
  if (from < 0 || to < from) {
    throw new Error(`The page has no region '${region}'`);
  }
  return `${page.slice(0, from + start.length)}\n\n${text.trim()}\n\n${
    page.slice(to)
  }`;
}

function machineText(machine: MachineDescription): string {
  const { processor, processors, memoryGib, system, loadAverage } = machine;
  const versions = Object.entries(machine.versions)
    .map(([name, version]) => `${name} ${version}`).join(", ");
  return `Measured on ${processors} × ${processor}, ${memoryGib} GiB, ${system}, with ${versions}; load average before the run ${
    loadAverage.toFixed(2)
  }.`;
}

function judgementRow({ target, figure, met }: Judgement): string {
  const { scenario, figure: name, bound, limit, unit } = target;
  const value = figure?.value;
  const cells = [
    `\`${scenario}\``,
    name,
    value === undefined ? "" : digits(value.median),
    value === undefined ? "" : `${digits(value.min)} to ${digits(value.max)}`,
    `${bound} ${limit} ${unit}`.trim(),
    figure === undefined ? "not measured" : met ? "met" : "**not met**",
  ];
  return `| ${cells.join(" | ")} |`;
}

/** The text of the region `bench`. */
export function benchText(
  machine: MachineDescription,
  results: readonly Result[],
  judgements: readonly Judgement[],
): string {
  return [
    machineText(machine),
    "",
    "| Scenario | Figure | Median | Spread | Target | |",
    "| --- | --- | --- | --- | --- | --- |",
    ...judgements.map(judgementRow),
    "",
    "```text",
    results.map(formatResult).join("\n").trimEnd(),
    "```",
  ].join("\n");
}

/** The file of a curve's plot, relative to the page. */
export function plotFile(curve: Pick<Growth, "name">): string {
  return `growth-${curve.name}.svg`;
}

/** The text of the region `growth`. */
export function growthText(
  machine: MachineDescription,
  curves: readonly Growth[],
): string {
  return [
    machineText(machine),
    ...curves.map((curve) => `\n![${curve.title}](${plotFile(curve)})`),
  ].join("\n");
}
