/** The file of an export: lines of JSON, of which the first says what it is, and the last how many are between. */
import { z } from "zod";
import { parseJson } from "../../src/lib/parse_json.ts";
import { type StoredEntry, storedEntry } from "./stored_entry.ts";

/** The version of the format. */
const FORMAT = 1;

const head = z.object({
  porthole: z.literal("records"),
  format: z.literal(FORMAT),
  /** When, in ISO 8601. */
  at: z.string(),
  /** The marker of the store; null if there was none. */
  epoch: z.string().nullable(),
});

const foot = z.object({ entries: z.number() });

/** The first line. */
export type ExportHead = Readonly<
  Pick<z.output<typeof head>, "at" | "epoch">
>;

/** What a file has. */
export interface Export extends ExportHead {
  readonly entries: readonly StoredEntry[];
}

/**
 * Writes a file that nobody else on this machine may read, and returns how many entries it has. One of that name is
 * replaced once all is written, or kept beside it if it is of a store with another marker: that may have been lost.
 */
export async function writeExport(
  path: string,
  { at, epoch }: ExportHead,
  entries: AsyncIterable<StoredEntry>,
): Promise<number> {
  const partial = `${path}.partial`;
  await Deno.remove(partial).catch(() => {});
  let count = 0;
  async function* lines(): AsyncGenerator<string> {
    const first = { porthole: "records", format: FORMAT, at, epoch };
    yield `${JSON.stringify(first)}\n`;
    for await (const each of entries) {
      count++;
      yield `${JSON.stringify(each)}\n`;
    }
    yield `${JSON.stringify({ entries: count })}\n`;
  }
  const file = await Deno.open(partial, {
    write: true,
    createNew: true,
    mode: 0o600,
  });
  try {
    await ReadableStream.from(lines())
      .pipeThrough(new TextEncoderStream())
      .pipeTo(file.writable);
    const before = await epochIn(path);
    if (before && before !== epoch) {
      await Deno.rename(path, `${path}.${before}`);
    }
    await Deno.rename(partial, path);
  } catch (error) {
    await Deno.remove(partial).catch(() => {});
    throw error;
  }
  return count;
}

/** The marker of the store that a file is of; undefined if there is no export of that name. */
async function epochIn(path: string): Promise<string | null | undefined> {
  try {
    using file = await Deno.open(path);
    const { value = "" } = await file.readable
      .pipeThrough(new TextDecoderStream()).getReader().read();
    return head.safeParse(parseJson(value.split("\n", 1)[0] ?? "")).data?.epoch;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Reads a whole file.
 * @throws {Error} that names the line, if it is none of this format, or is not complete
 */
export async function readExport(path: string): Promise<Export> {
  const lines = (await Deno.readTextFile(path)).split("\n");
  if (lines.pop() !== "") throw new Error("It has no end: it is cut off");
  const first = head.safeParse(parseJson(lines[0] ?? ""));
  if (!first.success) {
    throw new Error(`Line 1 is not that of an export, format ${FORMAT}`);
  }
  const last = foot.safeParse(parseJson(lines.at(-1) ?? ""));
  const between = lines.slice(1, -1);
  if (!last.success || last.data.entries !== between.length) {
    throw new Error("It does not have as many entries as it says");
  }
  const entries = between.map((line, at) => {
    const { data } = storedEntry.safeParse(parseJson(line));
    if (data === undefined) throw new Error(`Line ${at + 2} is no entry`);
    return data;
  });
  return { ...first.data, entries };
}
