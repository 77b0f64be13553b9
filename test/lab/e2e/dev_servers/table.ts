/** The list of dev servers in docs/apps.md. */
import { formatted, replaceRegion } from "../../../../scripts/generate/text.ts";
import { inWords } from "./in_words.ts";
import type { Line } from "./dev_server.ts";
import type { Row } from "./matrix.ts";
import { SERVERS } from "./servers.ts";

const DOCUMENT = new URL("../../../../docs/apps.md", import.meta.url);

/** Writes the row of a dev server that was run; those of the others stay as they are. */
export async function saveRow(row: Row): Promise<void> {
  const text = await Deno.readTextFile(DOCUMENT);
  const list = mergeRow(rowsOf(text), row).join("\n");
  const changed = replaceRegion(text, "dev-servers", list);
  await Deno.writeTextFile(DOCUMENT, await formatted(changed, "md"));
}

/** The rows of a document's list by the dev servers' titles, each in one line. */
export function rowsOf(text: string): Map<string, string> {
  const [, region = ""] = text.split(/<!-- dev-servers:(?:start|end) -->/);
  const rows = region.split(/^- /m).slice(1)
    .map((row) => `- ${row.trim().replaceAll(/\s+/g, " ")}`);
  return new Map(
    rows.map((row) => [/\*\*(.+?)\*\*/.exec(row)?.[1] ?? "", row]),
  );
}

function mergeRow(known: ReadonlyMap<string, string>, row: Row): string[] {
  return SERVERS.flatMap((server) =>
    (server === row.server ? rowOf(row) : known.get(server.title)) ?? []
  );
}

/** What works as it is; with the label, if that differs; and with its line. */
export function rowOf({ server, version, faults }: Row): string {
  const [asItIs, labelled] = [inWords(faults.auto), inWords(faults.local)];
  const parts = [
    asItIs,
    ...labelled === asItIs ? [] : [`with the label, ${labelled}`],
    ...server.line === undefined
      ? []
      : [`with its line, ${inWords(faults.line)}: ${lineText(server.line)}`],
  ];
  return `- **${server.title}** ${version}: ${parts.join("; ")}`;
}

/** A line, and why it is needed. */
export function lineText({ text, reason }: Line): string {
  return `${text}. ${reason}`;
}
