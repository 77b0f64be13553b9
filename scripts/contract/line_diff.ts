/**
 * The lines that differ, each with `-` or `+` and two lines of context, and `@@` where something is left out; empty if
 * the texts are equal.
 *
 * @example
 * ```ts
 * lineDiff("a\nb\n", "a\nc\n"); // [" a", "-b", "+c"]
 * ```
 */
export function lineDiff(before: string, after: string): string[] {
  const lines = changesOf(linesOf(before), linesOf(after));
  const isNear = (index: number) =>
    lines.slice(Math.max(0, index - 2), index + 3)
      .some((line) => !line.startsWith(" "));
  if (before === after) return [];
  return lines.flatMap((line, index) => {
    if (isNear(index)) return [line];
    return index > 0 && isNear(index - 1) || index === 0 ? ["@@"] : [];
  });
}

function linesOf(text: string): string[] {
  return text.replace(/\n$/, "").split("\n");
}

/** Every line of both, by their longest common subsequence. */
function changesOf(
  before: readonly string[],
  after: readonly string[],
): string[] {
  // common[i][j]: the length for the lines from i and from j on.
  const common = Array.from(
    { length: before.length + 1 },
    () => new Uint32Array(after.length + 1),
  );
  const at = (i: number, j: number) => common[i]?.[j] ?? 0;
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      const row = common[i];
      if (row === undefined) continue;
      row[j] = before[i] === after[j]
        ? at(i + 1, j + 1) + 1
        : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (i < before.length && before[i] === after[j]) {
      lines.push(` ${before[i]}`);
      i++;
      j++;
    } else if (
      j === after.length || i < before.length && at(i + 1, j) >= at(i, j + 1)
    ) lines.push(`-${before[i++]}`);
    else lines.push(`+${after[j++]}`);
  }
  return lines;
}
