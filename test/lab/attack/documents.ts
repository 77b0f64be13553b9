/** The results in docs/reliability.md: a region between marks, made of the stored results. */
import type { MachineDescription } from "../bench/machine.ts";
import { fillRegion, machineText, writeFormatted } from "../bench/page.ts";
import { parseStored, store } from "../bench/results.ts";
import type { Scheme } from "../../support/dial.ts";
import type { Limit } from "./attack.ts";
import { lossesText, type Result } from "./report.ts";
import { VISITORS } from "./visitors.ts";

const ROOT = new URL("../../../", import.meta.url);
const RESULTS = new URL("./results.jsonl", import.meta.url);
const RELIABILITY = new URL("docs/reliability.md", ROOT);

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
  const page = await Deno.readTextFile(RELIABILITY);
  const text = attacksText(machine, entries);
  await writeFormatted(RELIABILITY, fillRegion(page, "attacks", text));
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

function row(both: readonly Result[]): string {
  const { attack = "", about = "" } = both[0] ?? {};
  const name = `\`${attack}\`: ${about}`;
  return `| ${name} | ${cell(both, "http")} | ${cell(both, "https")} |`;
}

/** What bystanders lost in each attack in which they did. */
function losses(results: readonly Result[]): string[] {
  const lost = results.flatMap(({ attack, scheme, losses }) => {
    const text = losses === undefined ? "" : lossesText(losses);
    return text === "" ? [] : [`- \`${attack}\`, ${scheme}: ${text}`];
  });
  return lost.length === 0 ? [] : ["", "Bystanders lost:", "", ...lost];
}

function verdict(results: readonly Result[]): string {
  const broken = results.flatMap(({ attack, scheme, broken }) =>
    broken.map((promise) =>
      `- **Not held**: \`${attack}\`, ${scheme}: ${promise}`
    )
  );
  return broken.length === 0 ? "All are held." : broken.join("\n");
}

/** What is promised less, each with the attacks that it is about. */
function limits(results: readonly Result[]): string[] {
  const limited = byAttack(results).flatMap(([first]) =>
    first?.limit === undefined
      ? []
      : [{ attack: first.attack, text: limitText(first.limit) }]
  );
  return [...Map.groupBy(limited, ({ text }) => text)].map(([text, all]) =>
    `- ${all.map(({ attack }) => `\`${attack}\``).join(", ")}${text}.`
  );
}

function limitText({ over, reason }: Limit): string {
  const where = over === undefined
    ? ""
    : ` over ${over === "http" ? "plain HTTP" : "TLS"}`;
  return `${where}: ${reason}`;
}

/** The text of the region: what each attack tries, what came of it, and what is promised less. */
export function attacksText(
  machine: MachineDescription,
  results: readonly Result[],
): string {
  return [
    machineText(machine),
    verdict(results),
    "",
    "| Attack | HTTP | TLS |",
    "| --- | --- | --- |",
    ...byAttack(results).map(row),
    ...losses(results),
    "",
    "Less is promised of some:",
    "",
    ...limits(results),
  ].join("\n");
}
