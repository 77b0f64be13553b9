/**
 * A table in Markdown, whose first row is its head.
 *
 * @example
 * markdownTable([["a", "b"], ["1", "2"]]); // "| a | b |\n| --- | --- |\n| 1 | 2 |"
 */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  return [head, head.map(() => "---"), ...body]
    .map((row) => `| ${row.join(" | ")} |`).join("\n");
}
