/** Writes what an export has, and the store of records no longer: nothing that is there is lost by it. */
import { z } from "zod";
import { untilWritten } from "../../src/cache/until_written.ts";
import { parseJson } from "../../src/lib/parse_json.ts";
import type { VersionedValues } from "../../src/records/versioned_values.ts";
import { expiryIn, type StoredEntry } from "./stored_entry.ts";

/** Most writes at once. */
const AT_ONCE = 32;

/** How many entries were missing, were added to what is there, were there already, and are over. */
export interface BroughtBack {
  written: number;
  added: number;
  kept: number;
  over: number;
}

type Outcome = keyof BroughtBack;

type Values = Pick<VersionedValues, "read" | "write">;

/** Rejects as the database does; it may be called again. */
export async function bringBack(
  values: Values,
  entries: readonly StoredEntry[],
  now: number,
): Promise<BroughtBack> {
  const sum: BroughtBack = { written: 0, added: 0, kept: 0, over: 0 };
  const due = [...entries];
  while (due.length > 0) {
    const some = due.splice(0, AT_ONCE);
    const outcomes = some.map((each) => bringOneBack(values, each, now));
    for (const outcome of await Promise.all(outcomes)) sum[outcome]++;
  }
  return sum;
}

async function bringOneBack(
  values: Values,
  { key: [kind, ...parts], text, expiresAt }: StoredEntry,
  now: number,
): Promise<Outcome> {
  const key = [kind, ...parts] as const;
  const ttlMs = (expiresAt ?? Infinity) - now;
  if (ttlMs <= 0) return "over";
  return await untilWritten(async (): Promise<Outcome | undefined> => {
    const found = await values.read(key);
    if (found === undefined) {
      const write = { key, version: undefined, text, ttlMs };
      return await values.write(write) ? "written" : undefined;
    }
    const both = withMore(kind, found.text, text);
    if (both === undefined) return "kept";
    const ends = expiryIn(both) ?? Infinity;
    const { version } = found;
    const write = { key, version, text: both, ttlMs: Math.max(1, ends - now) };
    return await values.write(write) ? "added" : undefined;
  });
}

const WORDS = z.array(z.string());
const LIST = z.looseObject({
  listed: z.array(z.looseObject({ id: z.string() })),
});
const NAMES = z.looseObject({ entries: z.record(z.string(), z.unknown()) });

/** Two values of a form; undefined unless both can be read. */
function bothAs<T>(
  schema: z.ZodType<T>,
  texts: readonly [string, string],
): [T, T] | undefined {
  const [there, other] = texts.map((text) =>
    schema.safeParse(parseJson(text)).data
  );
  return there !== undefined && other !== undefined
    ? [there, other]
    : undefined;
}

/** A value with what another one of its key has besides; undefined if that is nothing, or not to be told. */
function withMore(
  kind: string,
  ...texts: readonly [string, string]
): string | undefined {
  const words = kind === "blocks" ? bothAs(WORDS, texts) : undefined;
  if (words) {
    const all = [...new Set(words.flat())];
    return all.length > words[0].length ? JSON.stringify(all) : undefined;
  }
  const lists = bothAs(LIST, texts);
  if (lists) {
    const [there, { listed }] = lists;
    const ids = there.listed.map(({ id }) => id);
    const missing = listed.filter(({ id }) => !ids.includes(id));
    if (missing.length === 0) return undefined;
    return JSON.stringify({ ...there, listed: [...there.listed, ...missing] });
  }
  const names = bothAs(NAMES, texts);
  if (names === undefined) return undefined;
  const [there, other] = names;
  const entries = { ...other.entries, ...there.entries };
  return Object.keys(entries).length > Object.keys(there.entries).length
    ? JSON.stringify({ ...there, entries })
    : undefined;
}
