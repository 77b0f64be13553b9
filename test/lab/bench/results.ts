/** The stored results, one file for each kind of run: a line of JSON for the conditions, and one for each entry. */
import type { Growth } from "./growth.ts";
import type { MachineDescription } from "./machine.ts";
import type { Result } from "./report.ts";

/** The results of one run. */
export interface Stored<Entry> {
  /** The day of the run, as YYYY-MM-DD. */
  readonly day: string;
  readonly machine: MachineDescription;
  readonly entries: readonly Entry[];
}

const FOLDER = new URL("./results/", import.meta.url);
const SCENARIOS = new URL("scenarios.jsonl", FOLDER);
const GROWTH = new URL("growth.jsonl", FOLDER);

/** More than the page shows, and fewer than measurements have. */
const SIGNIFICANT_DIGITS = 7;

/** Writes results as lines of JSON. */
export function formatStored<Entry>(
  { entries, ...conditions }: Stored<Entry>,
): string {
  return [conditions, ...entries]
    .map((value) => `${JSON.stringify(value, rounded)}\n`).join("");
}

/** Reads what {@linkcode formatStored} wrote. */
export function parseStored<Entry>(text: string): Stored<Entry> {
  const [conditions, ...entries] = text.trimEnd().split("\n")
    .map((line) => JSON.parse(line));
  return { ...conditions, entries };
}

function rounded(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value)
    ? Number(value.toPrecision(SIGNIFICANT_DIGITS))
    : value;
}

/** Writes the results of today to a file. */
export async function store<Entry>(
  file: URL,
  machine: MachineDescription,
  entries: readonly Entry[],
): Promise<void> {
  const day = new Date().toISOString().slice(0, 10);
  await Deno.writeTextFile(file, formatStored({ day, machine, entries }));
}

/** Replaces the stored results of scenarios. */
export function storeResults(
  machine: MachineDescription,
  results: readonly Result[],
): Promise<void> {
  return store(
    SCENARIOS,
    machine,
    results.map(({ scenario: { name, about }, outcome }) => ({
      scenario: { name, about },
      outcome,
    })),
  );
}

/** Replaces the stored curves. */
export function storeGrowth(
  machine: MachineDescription,
  curves: readonly Growth[],
): Promise<void> {
  return store(GROWTH, machine, curves);
}

/** The stored results of scenarios. */
export async function readResults(): Promise<Stored<Result>> {
  return parseStored(await Deno.readTextFile(SCENARIOS));
}

/** The stored curves. */
export async function readGrowth(): Promise<Stored<Growth>> {
  return parseStored(await Deno.readTextFile(GROWTH));
}
