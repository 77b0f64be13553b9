/** The table of dev servers in docs/apps.md. */
import { formatted, replaceRegion } from "../../../../scripts/generate/text.ts";
import { inWords } from "./in_words.ts";
import type { DevServer } from "./dev_server.ts";
import type { Row } from "./matrix.ts";
import { SERVERS } from "./servers.ts";

const DOCUMENT = new URL("../../../../docs/apps.md", import.meta.url);

const HEAD = [
  "| Framework | Version | As it is | With the label `local` | Its line, with which it works, and why |",
  "| --- | --- | --- | --- | --- |",
];

/** Writes the row of a dev server that was run; those of the others stay as they are. */
export async function saveRow(row: Row): Promise<void> {
  const text = await Deno.readTextFile(DOCUMENT);
  const table = [...HEAD, ...mergeRow(rowsOf(text), row)].join("\n");
  const changed = replaceRegion(text, "dev-servers", table);
  await Deno.writeTextFile(DOCUMENT, await formatted(changed, "md"));
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
    lineText(server.line, inWords(faults.line)),
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

/** A server's line, what is wrong even with it, and why it is needed. */
export function lineText(line: DevServer["line"], outcome: string): string {
  if (line === undefined) return "";
  const but = outcome === "works" ? "" : ` (${outcome})`;
  return `${line.text}${but}: ${line.reason}`;
}
