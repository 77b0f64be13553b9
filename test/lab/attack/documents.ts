/** The results, in regions between marks: on docs/reliability.md, what is not held or promised less, on README.md, each attack. */
import type { MachineDescription } from "../bench/machine.ts";
import { machineText } from "../bench/page.ts";
import { parseStored, store } from "../bench/results.ts";
import { RELIABILITY, show } from "../harness/results.ts";
import type { Scheme } from "../../support/dial.ts";
import type { Limit } from "./attack.ts";
import { lossesText, type Result } from "./report.ts";
import { VISITORS } from "./visitors.ts";

const RESULTS = new URL("./results.jsonl", import.meta.url);
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
  const { exceptions, all } = attacksTexts(machine, entries);
  await show(RELIABILITY, "attacks", exceptions);
  await show(README, "attacks", all);
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

/** Where an attack is promised less. */
function whereLess({ over }: Limit): string {
  if (over === undefined) return "less";
  return `less over ${over === "http" ? "plain HTTP" : "TLS"}`;
}

/** Of an attack, each promise that was broken. */
function brokenNotes(both: readonly Result[]): string[] {
  return SCHEMES.flatMap(([scheme, name]) =>
    (both.find((one) => one.scheme === scheme)?.broken ?? [])
      .map((what) => `**not held** (${name}): ${what}`)
  );
}

/** Of an attack, what bystanders lost. */
function lossNotes(both: readonly Result[]): string[] {
  return SCHEMES.flatMap(([scheme, name]) => {
    const { losses } = both.find((one) => one.scheme === scheme) ?? {};
    const text = losses === undefined ? "" : lossesText(losses);
    return text === "" ? [] : [`${name} lost ${text}`];
  });
}

/** The row of an attack: its figures, what was not held, what is promised less, and what bystanders lost. */
function row(both: readonly Result[]): string {
  const [{ attack = "", about = "", limit } = {}] = both;
  const notes = [
    ...brokenNotes(both),
    ...limit === undefined ? [] : [whereLess(limit)],
    ...lossNotes(both),
  ];
  const cells = SCHEMES.map(([scheme]) => cell(both, scheme));
  return `| ${
    [`\`${attack}\`: ${about}`, ...cells, notes.join("; ")].join(" | ")
  } |`;
}

/** The attacks of which less is promised for one reason: each with its p99 where that is so. */
function limitRow(reason: string, all: readonly (readonly Result[])[]): string {
  const [[{ limit } = {}] = []] = all;
  const names = all.map((both) => {
    const figures = both.filter(({ scheme }) =>
      scheme === (limit?.over ?? scheme)
    );
    const ms = figures.map((one) => Math.round(worstP99(one) ?? Infinity));
    return `\`${both[0]?.attack}\` ${ms.join(" and ")}`;
  });
  const where = limit === undefined ? "less" : whereLess(limit);
  return `| ${names.join(", ")} | ${where}: ${reason} |`;
}

/** The texts of both regions. */
export function attacksTexts(
  machine: MachineDescription,
  results: readonly Result[],
): Record<"exceptions" | "all", string> {
  const all = byAttack(results);
  const broken = all.filter((both) => brokenNotes(both).length > 0);
  const limited = all.filter(([one]) => one?.limit !== undefined);
  const held = all.filter((both) =>
    !broken.includes(both) && !limited.includes(both)
  );
  const losing = all.filter((both) => lossNotes(both).length > 0);
  const p99 = Math.max(
    ...held.flat().map((one) => worstP99(one) ?? Infinity),
  );
  const mib = Math.max(...results.map(({ peakMib }) => peakMib));
  const byReason = Map.groupBy(limited, ([one]) => one?.limit?.reason ?? "");
  return {
    exceptions: [
      machineText(machine),
      "",
      `Of ${all.length} attacks ([each](../test/lab/attack/README.md)), ${held.length} are held to every promise, with a p99 of ${
        Math.round(p99)
      } ms at most; no attack took more than ${mib} MiB, and in ${losing.length} bystanders lost something. Not held, or promised less:`,
      "",
      "| Attack, and its p99, ms | But |",
      "| --- | --- |",
      ...broken.map((both) =>
        `| \`${both[0]?.attack}\` | ${brokenNotes(both).join("; ")} |`
      ),
      ...[...byReason].map(([reason, some]) => limitRow(reason, some)),
    ].join("\n"),
    all: [
      "| Attack | HTTP | TLS | But |",
      "| --- | --- | --- | --- |",
      ...all.map(row),
    ].join("\n"),
  };
}
