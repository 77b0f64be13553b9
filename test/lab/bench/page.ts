/**
 * The results, made of what is stored, in regions between marks: on docs/performance.md, with the charts, and on README.md,
 * what else was measured, and why some goals are not to be had.
 */
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
const README = new URL("./README.md", import.meta.url);

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

/** The goals of a scenario that were not met; a floor's reason is on the other page. */
function unmetText(name: string, judged: readonly Judgement[]): string {
  return judged
    .filter(({ target, met }) => target.scenario === name && !met)
    .map((judgement) => {
      const { target } = judgement;
      const text = `${target.figure} ${valueText(judgement)}`;
      return isFloor(target) ? text : `${text}: **missed**`;
    }).join("; ");
}

/** True of the gateway itself, also behind something else. */
function isGateway({ contestant }: Row): boolean {
  return /\bgateway\b/.test(contestant);
}

/** The contestants of a scenario: the gateway, those that have a column, other ways to the gateway, and all else. */
function contestants({ rows: [subject, ...others] }: Result["outcome"]) {
  const beside = [/^nginx(?:$|, (?:TLS|to the app)$)/, /^fetch proxy$/]
    .map((name) => others.find(({ contestant }) => name.test(contestant)));
  const rest = others.filter((row) => !beside.includes(row));
  const areWays = subject !== undefined && !isGateway(subject);
  const ways = rest.filter((row) => areWays || isGateway(row));
  return {
    subject,
    beside,
    ways,
    rest: rest.filter((row) => !ways.includes(row)),
  };
}

function resultRow(
  { scenario: { name, about }, outcome }: Result,
  judged: readonly Judgement[],
): string {
  const { quantity } = outcome;
  const { subject, beside, ways } = contestants(outcome);
  if (subject === undefined) return "";
  const own = [
    isGateway(subject) ? medians(subject, quantity) : named(subject, quantity),
    ...ways.map((row) => named(row, quantity)),
  ];
  const cells = [
    `\`${name}\`: ${about}`,
    quantity,
    own.join(", "),
    ...beside.map((row) => row === undefined ? "" : medians(row, quantity)),
    unmetText(name, judged),
  ];
  return `| ${cells.join(" | ")} |`;
}

/** The scenarios that docs/performance.md shows, beside those of which a target was missed. */
const HEADLINES: ReadonlySet<string> = new Set([
  "public",
  "private",
  "body-64k",
  "body-1m",
  "upload-64k",
  "upload-1m",
  "tls-http1",
  "tls-http2",
  "echo-128",
  "tunnels",
  "burst-many",
  "page-http2",
  "start",
]);

/** The scenarios for docs/performance.md, and the rest. */
function divide(results: readonly Result[], judged: readonly Judgement[]) {
  const missed = judged.filter(({ target, met }) => !met && !isFloor(target));
  const { shown = [], rest = [] } = Object.groupBy(
    results,
    ({ scenario: { name } }) =>
      HEADLINES.has(name) ||
        missed.some(({ target }) => target.scenario === name)
        ? "shown"
        : "rest",
  );
  return { shown, rest };
}

function resultTable(
  results: readonly Result[],
  judged: readonly Judgement[],
): string {
  return [
    "| Scenario | Figure | Gateway | nginx | fetch proxy | Goals not met |",
    "| --- | --- | --- | --- | --- | --- |",
    ...results.map((result) => resultRow(result, judged)),
  ].join("\n");
}

/** The text of the region `bench`: a row for each scenario that docs/performance.md shows. */
export function benchText(
  machine: MachineDescription,
  results: readonly Result[],
): string {
  const judged = measuredGoals(results);
  const { shown } = divide(results, judged);
  return [machineText(machine), "", resultTable(shown, judged)].join("\n");
}

/** The text of the region `more`: a row for each other scenario. */
export function moreText(results: readonly Result[]): string {
  const judged = measuredGoals(results);
  return resultTable(divide(results, judged).rest, judged);
}

/** The text of the region `others`: who else was measured. */
export function othersText(results: readonly Result[]): string {
  const rows = results.flatMap(({ scenario: { name }, outcome }) => {
    const { rest } = contestants(outcome);
    const texts = rest.map((row) => named(row, outcome.quantity));
    return rest.length === 0 ? [] : [`| \`${name}\` | ${texts.join(", ")} |`];
  });
  return ["| Scenario | Others |", "| --- | --- |", ...rows].join("\n");
}

function measuredGoals(results: readonly Result[]): readonly Judgement[] {
  return judge(results, GOALS).filter(({ figure }) => figure !== undefined);
}

/** A figure, and the goal unless it is met. */
function valueText({ target, figure, met }: Judgement): string {
  const { bound, limit, unit } = target;
  const value = figure === undefined ? "?" : digits(figure.value.median);
  return met
    ? value
    : `${value} (${bound} ${limit}${unit === "" ? "" : ` ${unit}`})`;
}

/** The text of the region `goals`: how many are met. */
export function goalsText(results: readonly Result[]): string {
  const judged = measuredGoals(results);
  const targets = judged.filter(({ target }) => !isFloor(target));
  const met = targets.filter(({ met }) => met).length;
  const others = judged.length - targets.length;
  return `Of ${targets.length} targets, ${met} are met. ${others} more goals are floors: not to be had with what the gateway is built on, or not in every run ([why, and what was tried](../test/lab/bench/README.md)).`;
}

/** The text of the region `floors`: what shows that a goal is not to be had, and what was tried. */
export function floorsText(results: readonly Result[]): string {
  const judged = measuredGoals(results);
  return FLOORS.map(({ goals, proof }) => {
    const texts = judged
      .filter(({ target }) => goals.includes(figureName(target)))
      .map((judgement) => {
        const name = figureName(judgement.target).replace(/^[^,]+/, "`$&`");
        return `${name}: ${valueText(judgement)}`;
      });
    return `- ${texts.join("; ")}. ${proof}`;
  }).join("\n");
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
  const readme = await Deno.readTextFile(README);
  const more = fillRegion(readme, "more", moreText(scenarios.entries));
  const others = fillRegion(more, "others", othersText(scenarios.entries));
  const floors = floorsText(scenarios.entries);
  await writeFormatted(README, fillRegion(others, "floors", floors));
}

/** Writes a file and formats it as the repository's check demands. */
export async function writeFormatted(file: URL, text: string): Promise<void> {
  await Deno.writeTextFile(file, text);
  await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", file.pathname],
  }).output();
}
