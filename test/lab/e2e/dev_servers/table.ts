/** The table of dev servers in docs/apps.md. */
import { formatted, replaceRegion } from "../../../../scripts/generate/text.ts";
import { inWords } from "./in_words.ts";
import type { Row } from "./matrix.ts";
import { SERVERS } from "./servers.ts";

const DOCUMENT = new URL("../../../../docs/apps.md", import.meta.url);

const HEAD = [
  "| Framework | Version | As it is | With the label `local` | Its line | With its line |",
  "| --- | --- | --- | --- | --- | --- |",
];

/** Writes the row of a dev server that was run; those of the others stay as they are. */
export async function saveRow(row: Row): Promise<void> {
  const text = await Deno.readTextFile(DOCUMENT);
  const table = [...HEAD, ...mergeRow(rowsOf(text), row)].join("\n");
  const changed = replaceRegion(
    replaceRegion(text, "dev-servers", table),
    "dev-server-lines",
    lines(),
  );
  await Deno.writeTextFile(DOCUMENT, await formatted(changed, "md"));
}

/** Why each line is needed, which the table has, as a list. */
export function lines(): string {
  return SERVERS.flatMap(({ title, line }) =>
    line === undefined ? [] : `- **${title}**: ${line.reason}`
  ).join("\n");
}

/** The rows of a document's table by the dev servers' titles. */
export function rowsOf(text: string): Map<string, string> {
  const [, region = ""] = text.split(/<!-- dev-servers:(?:start|end) -->/);
  return new Map(
    [...region.matchAll(/^\| (?!Framework|-)([^|]+?) *\|.*$/gm)]
      .map(([row, title = ""]) => [title, row]),
  );
}

function mergeRow(known: ReadonlyMap<string, string>, row: Row): string[] {
  return SERVERS.flatMap((server) =>
    (server === row.server ? rowOf(row) : known.get(server.title)) ?? []
  );
}

function rowOf({ server, version, faults }: Row): string {
  const cells = [
    server.title,
    version,
    inWords(faults.auto),
    inWords(faults.local),
    server.line?.text ?? "",
    inWords(faults.line),
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
