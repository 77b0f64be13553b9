/**
 * `deno task bench --walk FROM..TO`: which change cost what. The source after each n-th landing of a range runs beside that
 * before the range, all at the same time.
 */
import { isJudged } from "./against.ts";
import { type Comparing, measureSources, type Source } from "./comparison.ts";
import type { Walk } from "./options.ts";
import { compareProcesses, type Processes, verdict } from "./paired.ts";
import { line } from "./report.ts";
import { everyNth, type Landing, landings } from "./sources.ts";

/** The steps of a walk, unless it says how long each is. */
const STEPS = 8;
/** All of them run at once, in some 200 MiB each; one scenario takes nine minutes then. */
const MOST_STEPS = 12;

/** Measures scenarios after each step, and calls back with a table for each. */
export async function walkThrough(
  { from, to, every }: Walk,
  { scenarios, loadOf, pace, checkOut, onLines }: Comparing,
): Promise<void> {
  const landed = await landings(from, to);
  const steps = stepsOf(landed, every);
  await using started = new AsyncDisposableStack();
  async function sourceOf(commit: string): Promise<Source> {
    const { folder } = started.use(await checkOut(commit));
    return { name: commit, folder };
  }
  const base = await sourceOf(from);
  const sources = [base];
  for (const { commit } of steps) sources.push(await sourceOf(commit));
  for (const scenario of scenarios) {
    const [before = [], ...measured] = await measureSources(
      loadOf(scenario),
      [...sources, base],
      pace,
    );
    const title = `${scenario.name}: ${landed.length} landings since ${from}`;
    const table = formatWalk(title, {
      before,
      itself: measured[steps.length] ?? [],
      after: steps.map((landing, step) => ({
        landing,
        processes: measured[step] ?? [],
      })),
    });
    await onLines(table);
  }
}

/**
 * The landings to measure after: each n-th, the last one always.
 *
 * @throws {RangeError} if these are none, or too many to run at once
 */
export function stepsOf(
  landed: readonly Landing[],
  every: number = Math.ceil(landed.length / STEPS),
): Landing[] {
  if (landed.length === 0) throw new RangeError("No landing touches src/");
  const steps = everyNth(landed, every);
  if (steps.length <= MOST_STEPS) return steps;
  throw new RangeError(
    `${steps.length} steps are more than ${MOST_STEPS}: --every ${
      Math.ceil(landed.length / MOST_STEPS)
    } at least`,
  );
}

/** A table: by each quantity, the ratio after a step to that before all, and to that before the step. */
export function formatWalk(
  title: string,
  { before, itself, after }: {
    readonly before: Processes;
    readonly itself: Processes;
    readonly after: readonly {
      readonly landing: Landing;
      readonly processes: Processes;
    }[];
  },
): string {
  const others = after.map(({ processes }) => processes);
  const compared = Object.keys(before[0]?.[0] ?? {}).filter(isJudged)
    .map((quantity) =>
      compareProcesses(quantity, { base: before, itself, others })
    )
    .filter((one) => one !== undefined);
  return [
    `${title}\n`,
    line("  after", [
      ...compared.flatMap(({ quantity }) => [quantity, "step"]),
      "",
    ]),
    ...after.map(({ landing: { commit, subject } }, at) =>
      line(
        commit,
        compared.flatMap((one) => {
          const ratio = one.ratios[at] ?? NaN;
          const step = ratio / (one.ratios[at - 1] ?? 1);
          const isKnown = verdict(step, one) !== "undecided";
          return [ratio.toFixed(3), isKnown ? step.toFixed(3) : "undecided"];
        }),
      ).trimEnd() + `  ${subject}\n`
    ),
    line("  before, beside itself", [
      ...compared.flatMap(({ itself }) => [itself.toFixed(3), ""]),
      "",
    ]),
    line("  error", [
      ...compared.flatMap(({ error }) => [`± ${error.toFixed(3)}`, ""]),
      "",
    ]),
  ].join("");
}
