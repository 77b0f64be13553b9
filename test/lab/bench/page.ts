/** The results on docs/performance.md: two regions between marks, and the charts, made of the stored results. */
import { figureName, FLOORS, isFloor } from "./floors.ts";
import { type Growth, plotGrowth } from "./growth.ts";
import type { MachineDescription } from "./machine.ts";
import { digits, judge, type Judgement, type Result } from "./report.ts";
import { readGrowth, readResults } from "./results.ts";
import { type Row, valuesOf } from "./scenario.ts";
import { summarize } from "./stats.ts";
import { GOALS } from "./targets.ts";

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

/** A figure with a thousands separator. */
function figure(value: number): string {
  return value >= 1000
    ? Math.round(value).toLocaleString("en-US")
    : digits(value);
}

/** The medians of a contestant: of the quantity that is compared, and of what stands beside it. */
function medians(row: Row, quantity: string): string {
  return [quantity, "p99 ms", "growth MiB"]
    .filter((name, index, all) => all.indexOf(name) === index)
    .map((name) => valuesOf(row, name))
    .filter((values) => values.length > 0)
    .map((values) => figure(summarize(values).median)).join("; ");
}

function named(row: Row, quantity: string): string {
  return `${row.contestant} (${medians(row, quantity)})`;
}

function resultRow({ scenario: { name, about }, outcome }: Result): string {
  const { quantity, rows: [subject, ...others] } = outcome;
  if (subject === undefined) return "";
  const isGateway = /^gateway\b/.test(subject.contestant);
  const beside = [/^nginx(?:$|, (?:TLS|to the app)$)/, /^fetch proxy$/]
    .map((name) => others.find(({ contestant }) => name.test(contestant)));
  const rest = others.filter((row) => !beside.includes(row));
  const cells = [
    `\`${name}\`: ${about}`,
    quantity,
    isGateway ? medians(subject, quantity) : named(subject, quantity),
    ...beside.map((row) => row === undefined ? "" : medians(row, quantity)),
    rest.map((row) => named(row, quantity)).join(", "),
  ];
  return `| ${cells.join(" | ")} |`;
}

/** The text of the region `bench`: a row for each scenario. */
export function benchText(
  machine: MachineDescription,
  results: readonly Result[],
): string {
  return [
    machineText(machine),
    "",
    "| Scenario | Figure | Gateway | nginx | fetch proxy | Others |",
    "| --- | --- | --- | --- | --- | --- |",
    ...results.map(resultRow),
  ].join("\n");
}

/** A figure, and the goal that it is compared with. */
function judgedText({ target, figure, met }: Judgement): string {
  const { bound, limit, unit } = target;
  const name = figureName(target).replace(/^[^,]+/, "`$&`");
  const value = figure === undefined ? "?" : digits(figure.value.median);
  return met
    ? `${name}: ${value}`
    : `${name}: ${value} (${bound} ${limit}${unit === "" ? "" : ` ${unit}`})`;
}

/** The text of the region `goals`: how many are met, which are not, and those that are not to be had. */
export function goalsText(results: readonly Result[]): string {
  const measured = judge(results, GOALS)
    .filter(({ figure }) => figure !== undefined);
  const missed = measured.filter(({ target, met }) => !met && !isFloor(target));
  const targets = measured.filter(({ target }) => !isFloor(target));
  const met = targets.length - missed.length;
  const others = measured.length - targets.length;
  const floors = FLOORS.map(({ goals, proof }) => {
    const judged = measured
      .filter(({ target }) => goals.includes(figureName(target)));
    return `- ${judged.map(judgedText).join("; ")}. ${proof}`;
  });
  return [
    `Of ${targets.length} targets, ${met} are met; ${others} more goals are floors.`,
    ...missed.length === 0 ? [] : ["Missed are"],
    "",
    ...missed.map((judgement) => `- ${judgedText(judgement)}`),
    "",
    "### Floors",
    "",
    "Goals that are not to be had with what the gateway is built on, or not in every run:",
    "",
    ...floors,
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
  const judged = fillRegion(page, "goals", goalsText(scenarios.entries));
  const text = growthText(growth.machine, growth.entries);
  await writeFormatted(PAGE, fillRegion(judged, "growth", text));
}

/** Writes a file and formats it as the repository's check demands. */
export async function writeFormatted(file: URL, text: string): Promise<void> {
  await Deno.writeTextFile(file, text);
  await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", file.pathname],
  }).output();
}
