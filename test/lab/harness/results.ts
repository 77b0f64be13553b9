/** What came of a run: stored beside its laboratory, and shown in regions of documents. */
import type { MachineDescription } from "../bench/machine.ts";
import { fillRegion, machineText, writeFormatted } from "../bench/page.ts";
import { store } from "../bench/results.ts";
import { markdownTable } from "../../support/markdown_table.ts";

/** The page of what holds in trouble. */
export const RELIABILITY = new URL(
  "../../../docs/reliability.md",
  import.meta.url,
);

/** Shows a text in the region of a page. */
export async function show(
  page: URL,
  region: string,
  text: string,
): Promise<void> {
  const filled = fillRegion(await Deno.readTextFile(page), region, text);
  await writeFormatted(page, filled);
}

/** Where results go, and how they are shown there. */
interface Shown<Result> {
  readonly file: URL;
  /** The page of the table; docs/reliability.md unless given. */
  readonly page?: URL;
  /** Of both pages. */
  readonly region: string;
  textOf(machine: MachineDescription, results: readonly Result[]): string;
  /** What docs/reliability.md says of a table elsewhere. */
  summaryOf?(results: readonly Result[]): string;
}

/** Replaces the stored results, and shows them. */
export async function saveResults<Result>(
  { file, page = RELIABILITY, region, textOf, summaryOf }: Shown<Result>,
  machine: MachineDescription,
  results: readonly Result[],
): Promise<void> {
  await store(file, machine, results);
  await show(page, region, textOf(machine, results));
  if (summaryOf !== undefined) {
    await show(RELIABILITY, region, summaryOf(results));
  }
}

/** A table below a sentence about the machine. */
export function tableOn(
  machine: MachineDescription,
  rows: readonly (readonly string[])[],
): string {
  return [machineText(machine), "", markdownTable(rows)].join("\n");
}
