/** A value of the store of records, outside of it. */
import { z } from "zod";
import { parseJson } from "../../src/lib/parse_json.ts";

export const storedEntry = z.object({
  key: z.tuple([z.string()], z.string()),
  /** JSON, as it is stored. */
  text: z.string(),
  /** When it may be forgotten, ms since the epoch; null for never. */
  expiresAt: z.number().nullable(),
});

/** A value, where it is, and for how long. */
export type StoredEntry = Readonly<z.output<typeof storedEntry>>;

const timed = z.object({ expiresAt: z.number().nullable() });
const list = z.object({ listed: z.array(timed) });

/** When a record is over, or all that a list has, as the value itself says; undefined if it says nothing. */
export function expiryIn(text: string): number | null | undefined {
  const json = parseJson(text);
  const { data: record } = timed.safeParse(json);
  if (record) return record.expiresAt;
  const { data: found } = list.safeParse(json);
  if (found === undefined) return undefined;
  const ends = found.listed.map(({ expiresAt }) => expiresAt ?? Infinity);
  const last = Math.max(0, ...ends);
  return last === Infinity ? null : last;
}
