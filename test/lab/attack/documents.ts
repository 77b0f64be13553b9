/** The results in the documents: regions between marks, made of the stored results. */
import type { MachineDescription } from "../bench/machine.ts";
import { fillRegion, machineText, writeFormatted } from "../bench/page.ts";
import { parseStored, store } from "../bench/results.ts";
import type { Scheme } from "../../support/dial.ts";
import type { Limit } from "./attack.ts";
import type { Latency, Result } from "./report.ts";
import { VISITORS } from "./visitors.ts";

const ROOT = new URL("../../../", import.meta.url);
const RESULTS = new URL("./results.jsonl", import.meta.url);
const RELIABILITY = new URL("docs/reliability.md", ROOT);
const SECURITY = new URL("SECURITY.md", ROOT);

/** Replaces the stored results, and shows them in the documents. */
export async function save(
  machine: MachineDescription,
  results: readonly Result[],
): Promise<void> {
  await store(RESULTS, machine, results);
  await redraw();
}

/** Makes the regions of the documents again. */
export async function redraw(): Promise<void> {
  const { machine, entries } = parseStored<Result>(
    await Deno.readTextFile(RESULTS),
  );
  await fill(RELIABILITY, figuresText(machine, entries));
  await fill(SECURITY, verdictsText(entries));
}

async function fill(file: URL, text: string): Promise<void> {
  const page = await Deno.readTextFile(file);
  await writeFormatted(file, fillRegion(page, "attacks", text));
}

/** Both results of each attack. */
function byAttack(results: readonly Result[]): readonly (readonly Result[])[] {
  return [...Map.groupBy(results, ({ attack }) => attack).values()];
}

/** What the visitor saw who was treated worst. */
function worst({ latency }: Result): Latency {
  const all = VISITORS.map((name) => latency[name]);
  return {
    median: most(all.map(({ median }) => median)),
    p99: most(all.map(({ p99 }) => p99)),
  };
}

function most(values: readonly (number | undefined)[]): number | undefined {
  return values.includes(undefined)
    ? undefined
    : Math.max(...values.map(Number));
}

function cells(results: readonly Result[], scheme: Scheme): string[] {
  const result = results.find((result) => result.scheme === scheme);
  if (result === undefined) return ["–", "–"];
  const { median, p99 } = worst(result);
  return [
    median === undefined || p99 === undefined
      ? "no answer"
      : `${Math.round(median)}, ${Math.round(p99)}`,
    String(result.peakMib),
  ];
}

function verdict(results: readonly Result[]): string {
  const broken = results.flatMap(({ scheme, broken }) =>
    broken.map((promise) => `${scheme}: ${promise}`)
  );
  return broken.length === 0
    ? "held"
    : `**not held**: ${broken.join("; ").replaceAll("|", "\\|")}`;
}

function table(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  return [head, head.map(() => "---"), ...body]
    .map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** The figures, for docs/reliability.md. */
export function figuresText(
  machine: MachineDescription,
  results: readonly Result[],
): string {
  return [
    machineText(machine),
    "",
    table([
      [
        "Attack",
        ...["HTTP: median, p99 in ms", "MiB", "TLS: median, p99 in ms", "MiB"],
        "Verdict",
      ],
      ...byAttack(results).map((both) => [
        `\`${both[0]?.attack}\``,
        ...cells(both, "http"),
        ...cells(both, "https"),
        verdict(both),
      ]),
    ]),
  ].join("\n");
}

function limitText({ over, reason }: Limit): string {
  const where = over === undefined
    ? ""
    : ` over ${over === "http" ? "plain HTTP" : "TLS"}`;
  return `Limit${where}: ${reason}`;
}

/** What was tried, for SECURITY.md. */
export function verdictsText(results: readonly Result[]): string {
  return table([
    ["Attack", "What it tries", "Verdict"],
    ...byAttack(results).map((both) => {
      const { attack = "", about = "", limit } = both[0] ?? {};
      return [
        `\`${attack}\``,
        limit === undefined ? about : `${about}. ${limitText(limit)}`,
        verdict(both),
      ];
    }),
  ]);
}
