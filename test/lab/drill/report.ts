/** What came of a drill: in lines of text, in the table of README.md, and in a sentence of docs/reliability.md. */
import { quantile } from "../../support/quantile.ts";
import type { Sight } from "../../support/visits.ts";
import type { MachineDescription } from "../bench/machine.ts";
import { tableOn } from "../harness/results.ts";
import type { Scenario } from "./scenarios.ts";
import { type Kind, KINDS, type Outcomes, type Sights } from "./visitors.ts";

/** What one kind of visitors saw. */
export interface Seen {
  readonly kind: Kind | "own";
  readonly count: number;
  readonly p99Ms: number;
  /** Answers that came so late that people would have gone. */
  readonly late: number;
  /** Outcomes other than 200, with their number. */
  readonly wrong: Readonly<Record<string, number>>;
}

/** An answer later than this is late, ms: a download takes two seconds. */
const LATE_MS = 4_000;

/** What came of a scenario. */
export interface Result extends Pick<Scenario, "name" | "about"> {
  /** Those who used what was in trouble. */
  readonly hit: readonly Seen[];
  readonly others: readonly Seen[];
  /** The most memory that a gateway took, MiB. */
  readonly peakMib: number;
}

/** Sums up what was seen in a scenario. */
export function resultOf(
  { name, about, hit }: Scenario,
  sights: Sights,
  peakMib: number,
  own: Outcomes | void,
): Result {
  const all = KINDS.map((kind) => seenBy(kind, sights[kind]));
  return {
    name,
    about,
    hit: [
      ...all.filter(({ kind }) => hit.some((one) => one === kind)),
      ...own ? [ownSeen(own)] : [],
    ],
    others: all.filter(({ kind }) => !hit.some((one) => one === kind)),
    peakMib,
  };
}

function seenBy(kind: Kind, { latenciesMs, wrong }: Sight): Seen {
  const p99Ms = quantile(latenciesMs, 0.99);
  const late = latenciesMs.filter((ms) => ms > LATE_MS).length;
  return { kind, count: latenciesMs.length, p99Ms, late, wrong };
}

/** What the visitors of a scenario itself saw. */
function ownSeen(outcomes: Outcomes): Seen {
  const { 200: right = 0, ...wrong } = outcomes;
  const count = right + sum(Object.values(wrong));
  return { kind: "own", count, p99Ms: NaN, late: 0, wrong };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

/** The number of visits that were answered late, or otherwise than by 200. */
export function lost(seen: readonly Seen[]): number {
  return sum(
    seen.flatMap(({ late, wrong }) => [late, ...Object.values(wrong)]),
  );
}

/** The share of the others' visits that a trouble may cost. */
const MOST_LOST = 0.01;

/** True if a trouble costs the others next to nothing. */
export function isHarmless({ others }: Result): boolean {
  return lost(others) <= MOST_LOST * total(others);
}

/** A result as lines of text. */
export function formatResult(result: Result): string {
  const { name, hit, others, peakMib } = result;
  const verdict = isHarmless(result) ? "ok" : "LOST";
  return [
    `${name}: ${verdict}; at most ${peakMib} MiB`,
    ...others.map((seen) => `  other ${seenText(seen)}`),
    ...hit.map((seen) => `  hit   ${seenText(seen)}`),
  ].join("\n");
}

function seenText({ kind, count, p99Ms, late, wrong }: Seen): string {
  const outcomes = Object.entries(wrong).map(([what, n]) => `${n} × ${what}`);
  if (late > 0) outcomes.push(`${late} late`);
  const rest = outcomes.length === 0 ? "" : `; ${outcomes.join(", ")}`;
  return `${kind}: ${count}, p99 ${Math.round(p99Ms)} ms${rest}`;
}

/** Where results are stored and shown. */
export const SHOWN = {
  file: new URL("./results.jsonl", import.meta.url),
  page: new URL("./README.md", import.meta.url),
  region: "drill",
  textOf: drillText,
  summaryOf: drillSummary,
};

/** What all troubles came to for those who do not use what is in trouble. */
export function drillSummary(all: readonly Result[]): string {
  const results = all.filter(({ name }) => name !== "nothing");
  const losses = results.map(({ others }) => lost(others));
  const losing = losses.filter((count) => count > 0);
  const shares = results.map(({ others }) => lost(others) / total(others));
  const p99s = results.flatMap(({ others }) => worstP99(others));
  return `Of ${results.length} troubles, ${losing.length} cost others anything: at most ${
    Math.max(...losses)
  } answers, ${
    (100 * Math.max(...shares)).toFixed(1)
  } % of theirs. The p99 of who was treated worst was ${
    Math.max(...p99s)
  } ms at most.`;
}

/** The text of that region. */
export function drillText(
  machine: MachineDescription,
  results: readonly Result[],
): string {
  const rows = results.map(({ about, hit, others }) => [
    about,
    `${lost(others)} of ${total(others)}`,
    others.map(({ kind, p99Ms }) => `${kind} ${Math.round(p99Ms)}`).join(", "),
    hit.map(hitText).join("; ") || "–",
  ]);
  const head = [
    "Trouble",
    "Others lost",
    "Others' p99, ms",
    "Who used it",
  ];
  return tableOn(machine, [head, ...rows]);
}

/** The p99 of the kind that was treated worst, ms, but for downloads, which take two seconds. */
function worstP99(others: readonly Seen[]): number {
  return Math.max(
    ...others.filter(({ kind }) => kind !== "download")
      .map(({ p99Ms }) => Math.round(p99Ms)),
  );
}

function total(seen: readonly Seen[]): number {
  return sum(seen.map(({ count }) => count));
}

function hitText(seen: Seen): string {
  const { count, wrong } = seen;
  const right = count - sum(Object.values(wrong));
  const outcomes = Object.entries({ 200: right, ...wrong });
  return outcomes.filter(([, n]) => n > 0)
    .map(([what, n]) => `${n} × ${what}`).join(", ");
}
