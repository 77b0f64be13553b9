/** Settings read from text: a table declares them, and one pass either reads them all or reports every problem. */
import type { z } from "zod";

/** The syntax of a setting: `allowed` describes it in words, `schema` parses it. */
export interface Format<T> {
  readonly allowed: string;
  readonly schema: z.ZodType<T, string>;
}

/** One row of a settings table. */
export interface Setting<T> {
  readonly group: string;
  readonly purpose: string;
  readonly format: Format<T>;
  readonly default?: string;
  /** The meaning of the empty text, which is the default then. Without either default, the setting is required. */
  readonly whenUnset?: string;
  /** True if the value must never be printed. */
  readonly secret?: boolean;
}

type Row = Omit<Setting<unknown>, "group">;

/** A row of a table, without its group. */
export function setting<R extends Omit<Row, "purpose">>(
  purpose: string,
  row: R,
): R & { readonly purpose: string } {
  return { purpose, ...row };
}

export function inGroup<
  R extends Readonly<Record<string, Omit<Row, "purpose">>>,
>(
  group: string,
  rows: R,
): { readonly [K in keyof R]: R[K] & { readonly group: string } } {
  const entries = Object.entries(rows)
    .map(([name, row]) => [name, { ...row, group }]);
  return Object.fromEntries(entries);
}

/** A setting that is missing (`given` is undefined) or does not match its format. */
export interface SettingProblem {
  readonly name: string;
  /** The text that was set, quoted and safe to print. */
  readonly given: string | undefined;
  readonly allowed: string;
  readonly purpose: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The rows of settings, by name. */
export type Table = Readonly<Record<string, Setting<unknown>>>;

export type SettingValues<S extends Table> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never;
};

type SettingsResult<S extends Table> =
  | { readonly ok: true; readonly values: SettingValues<S> }
  | { readonly ok: false; readonly problems: readonly SettingProblem[] };

/** Reads every setting of `table` from `source`; surrounding whitespace is trimmed, and an empty value is unset. */
export function readSettings<S extends Table>(
  table: S,
  source: Environment,
): SettingsResult<S> {
  const values: Record<string, unknown> = {};
  const problems: SettingProblem[] = [];
  for (const [name, setting] of Object.entries(table)) {
    const given = source[name]?.trim() || undefined;
    const fallback = setting.whenUnset === undefined ? setting.default : "";
    const parsed = setting.format.schema.safeParse(given ?? fallback);
    if (parsed.success) {
      values[name] = parsed.data;
      continue;
    }
    const { purpose, format: { allowed }, secret } = setting;
    const printed = given && printable(given, secret);
    problems.push({ name, given: printed, allowed, purpose });
  }
  return problems.length > 0
    ? { ok: false, problems }
    // Every name of the table has a value now, each from its own format.
    : { ok: true, values: values as SettingValues<S> };
}

function printable(text: string, secret = false): string {
  if (secret) return `(hidden, ${text.length} characters)`;
  // Up to the last "@": the password may be the reason that the text is not a URL, as with a slash in it or no scheme.
  const withoutUserinfo = text.replace(/^([a-z]*:\/\/)?.*@/is, "$1***@");
  const shown = withoutUserinfo.slice(0, 120);
  const isWhole = shown.length === withoutUserinfo.length;
  return JSON.stringify(isWhole ? shown : `${shown}…`);
}
