/**
 * Settings read from text: a table says what each one is, and one pass reads all of them or reports every problem.
 */
import type { z } from "zod";

/** How a setting is written: `allowed` says it in words, `schema` parses it. */
export interface Format<T> {
  readonly allowed: string;
  readonly schema: z.ZodType<T, string>;
}

/** One row of a settings table. */
export interface Setting<T> {
  readonly group: string;
  /** One sentence: what the setting does. */
  readonly purpose: string;
  readonly format: Format<T>;
  /** The text used when nothing is set; a setting without one is required. */
  readonly default?: string;
  /** What the default means, where its text does not say it. */
  readonly whenUnset?: string;
  /** Whether the value must never be shown. */
  readonly secret?: boolean;
}

/** A setting that is missing (`given` is undefined) or not written as its format asks. */
export interface SettingProblem {
  readonly name: string;
  /** What was set, quoted and safe to print. */
  readonly given: string | undefined;
  readonly allowed: string;
  readonly purpose: string;
}

type Table = Readonly<Record<string, Setting<unknown>>>;

/** The parsed values of a settings table, by name. */
export type SettingValues<S extends Table> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never;
};

/** Either every value, or every problem. */
export type SettingsResult<S extends Table> =
  | { readonly ok: true; readonly values: SettingValues<S> }
  | { readonly ok: false; readonly problems: readonly SettingProblem[] };

/** Reads every setting of `table` from `source`; blanks around a value do not count, and an empty one is unset. */
export function readSettings<S extends Table>(
  table: S,
  source: Readonly<Record<string, string | undefined>>,
): SettingsResult<S> {
  const values: Record<string, unknown> = {};
  const problems: SettingProblem[] = [];
  for (const [name, setting] of Object.entries(table)) {
    const given = source[name]?.trim() || undefined;
    const parsed = setting.format.schema.safeParse(given ?? setting.default);
    if (parsed.success) {
      values[name] = parsed.data;
    } else {
      problems.push({
        name,
        given: given && printable(given, setting.secret),
        allowed: setting.format.allowed,
        purpose: setting.purpose,
      });
    }
  }
  return problems.length > 0
    ? { ok: false, problems }
    : { ok: true, values: values as SettingValues<S> };
}

const SHOWN_CHARACTERS = 120;

function printable(text: string, secret = false): string {
  if (secret) return `(hidden, ${text.length} characters)`;
  // Up to the last "@", since a password may be why the text is no URL: with a slash in it, or without a scheme before.
  const withoutUserinfo = text.replace(/^([a-z]*:\/\/)?.*@/is, "$1***@");
  return JSON.stringify(
    withoutUserinfo.length > SHOWN_CHARACTERS
      ? `${withoutUserinfo.slice(0, SHOWN_CHARACTERS)}…`
      : withoutUserinfo,
  );
}
