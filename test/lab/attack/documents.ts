/**
 * The results, in regions between marks: on docs/reliability.md, of each attack of which something is to be said besides its
 * figures, on README.md, of all others.
 */
import type { MachineDescription } from "../bench/machine.ts";
import { fillRegion, machineText, writeFormatted } from "../bench/page.ts";
import { parseStored, store } from "../bench/results.ts";
import type { Scheme } from "../../support/dial.ts";
import { lossesText, type Result } from "./report.ts";
import { VISITORS } from "./visitors.ts";

const ROOT = new URL("../../../", import.meta.url);
const RESULTS = new URL("./results.jsonl", import.meta.url);
const RELIABILITY = new URL("docs/reliability.md", ROOT);
const README = new URL("./README.md", import.meta.url);

const SCHEMES = [["http", "HTTP"], ["https", "TLS"]] as const;

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
  const { noted, others } = attacksTexts(machine, entries);
  for (
    const [page, text] of [[RELIABILITY, noted], [README, others]] as const
  ) {
    const filled = fillRegion(await Deno.readTextFile(page), "attacks", text);
    await writeFormatted(page, filled);
  }
}

/** Both results of each attack. */
function byAttack(results: readonly Result[]): readonly (readonly Result[])[] {
  return [...Map.groupBy(results, ({ attack }) => attack).values()];
}

/** The p99 of the visitor who was treated worst, ms; undefined if one got no answer. */
function worstP99({ latency }: Result): number | undefined {
  const all = VISITORS.map((name) => latency[name].p99);
  return all.includes(undefined) ? undefined : Math.max(...all.map(Number));
}

/** The latency in ms and the memory in MiB over a scheme. */
function cell(results: readonly Result[], scheme: Scheme): string {
  const result = results.find((result) => result.scheme === scheme);
  if (result === undefined) return "–";
  const p99 = worstP99(result);
  const latency = p99 === undefined ? "no answer" : Math.round(p99);
  return `${latency}; ${result.peakMib}`;
}

/** Of an attack, what was not held, what is promised less, and what bystanders lost; empty if nothing. */
function notes(both: readonly Result[], reasons: Map<string, string>): string {
  const { attack = "", limit } = both[0] ?? {};
  const of = (scheme: Scheme) => both.find((one) => one.scheme === scheme);
  const broken = SCHEMES.flatMap(([scheme, name]) =>
    (of(scheme)?.broken ?? []).map((what) => `**not held** (${name}): ${what}`)
  );
  const lost = SCHEMES.flatMap(([scheme, name]) => {
    const { losses } = of(scheme) ?? {};
    const text = losses === undefined ? "" : lossesText(losses);
    return text === "" ? [] : [`${name} lost ${text}`];
  });
  if (limit === undefined) return [...broken, ...lost].join("; ");
  const where = limit.over === undefined
    ? "less"
    : `less over ${limit.over === "http" ? "plain HTTP" : "TLS"}`;
  const before = reasons.get(limit.reason);
  reasons.set(limit.reason, before ?? attack);
  const why = before === undefined
    ? `: ${limit.reason}`
    : ` as of \`${before}\``;
  return [...broken, where + why, ...lost].join("; ");
}

function row(both: readonly Result[], ...more: readonly string[]): string {
  const { attack = "", about = "" } = both[0] ?? {};
  const cells = SCHEMES.map(([scheme]) => cell(both, scheme));
  return `| ${[`\`${attack}\`: ${about}`, ...cells, ...more].join(" | ")} |`;
}

/** The texts of both regions. */
export function attacksTexts(
  machine: MachineDescription,
  results: readonly Result[],
): Record<"noted" | "others", string> {
  const reasons = new Map<string, string>();
  const all = byAttack(results).map((both) => ({
    both,
    note: notes(both, reasons),
  }));
  const noted = all.filter(({ note }) => note !== "");
  const others = all.filter(({ note }) => note === "");
  const quiet = others.flatMap(({ both }) => both);
  const p99 = Math.max(...quiet.map((one) => worstP99(one) ?? Infinity));
  const mib = Math.max(...quiet.map(({ peakMib }) => peakMib));
  return {
    noted: [
      machineText(machine),
      "",
      `Of ${all.length} attacks, ${others.length} are held to every promise, and no bystander lost anything: a p99 of ${
        Math.round(p99)
      } ms and ${mib} MiB at most ([each](../test/lab/attack/README.md)). Of the other ${noted.length}, the last column says what was not held, what is promised less, or who lost what:`,
      "",
      "| Attack | HTTP | TLS | But |",
      "| --- | --- | --- | --- |",
      ...noted.map(({ both, note }) => row(both, note)),
    ].join("\n"),
    others: [
      "| Attack | HTTP | TLS |",
      "| --- | --- | --- |",
      ...others.map(({ both }) => row(both)),
    ].join("\n"),
  };
}
