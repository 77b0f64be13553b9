/** What the parts of a ring took, as CONTRIBUTING.md has it. */
import { nameOf } from "./part.ts";
import type { Outcome } from "./run_stage.ts";

/** A Markdown table of the parts; `totalSec` is less than their sum, as some run side by side. */
export function timesTable(
  outcomes: readonly Outcome[],
  totalSec: number,
): string {
  const rows = outcomes.map(({ part, seconds }) => [
    `\`${nameOf(part)}\``,
    seconds.toFixed(0),
    part.finds,
  ]);
  return [
    ["Part", "s", "What it alone finds"],
    ["---", "---:", "---"],
    ...rows,
    ["all", totalSec.toFixed(0), ""],
  ].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
