/** The results on docs/performance.md: two regions between marks, and the charts, made of the stored results. */
import { type Growth, plotGrowth } from "./growth.ts";
import type { MachineDescription } from "./machine.ts";
import {
  digits,
  formatResult,
  judge,
  type Judgement,
  type Result,
} from "./report.ts";
import { readGrowth, readResults } from "./results.ts";
import { TARGETS } from "./targets.ts";

const DOCS = new URL("../../../docs/", import.meta.url);
const PAGE = new URL("performance.md", DOCS);

/**
 * Replaces the text of a region.
 *
 * @throws {Error} if the page has no such region.
 */
export function fillRegion(
  page: string,
  region: string,
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

/** The conditions of a run, in a sentence. */
export function machineText(machine: MachineDescription): string {
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
): string {
  return [
    machineText(machine),
    "",
    "| Scenario | Figure | Median | Spread | Target | |",
    "| --- | --- | --- | --- | --- | --- |",
    ...judge(results, TARGETS).map(judgementRow),
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

/** Rewrites the page's regions and redraws its charts. */
export async function redrawPage(): Promise<void> {
  const scenarios = await readResults();
  const growth = await readGrowth();
  for (const curve of growth.entries) {
    await writeFormatted(new URL(plotFile(curve), DOCS), plotGrowth(curve));
  }
  const page = fillRegion(
    await Deno.readTextFile(PAGE),
    "bench",
    benchText(scenarios.machine, scenarios.entries),
  );
  const text = growthText(growth.machine, growth.entries);
  await writeFormatted(PAGE, fillRegion(page, "growth", text));
}

/** Writes a file and formats it as the repository's check demands. */
export async function writeFormatted(file: URL, text: string): Promise<void> {
  await Deno.writeTextFile(file, text);
  await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", file.pathname],
  }).output();
}
