/** Files that settings name: they are read with the settings, and again while the gateway runs. */
import type { z } from "zod";
import { describeError } from "../lib/describe_error.ts";
import { whyUnreadable } from "../platform/permission_hint.ts";
import type { Conflict } from "./section.ts";

/** What a file says, or each problem with it in one line. */
export type FileContent<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly string[] };

/** A file, which is short and local, and what it may say. */
export interface SettingsFile<T> {
  readonly path: string;
  /** Parses its text; may throw. */
  readonly parse: (text: string) => unknown;
  readonly schema: z.ZodType<T>;
}

const LOOK_EVERY_MS = 5000;

/** The problems of a setting that names a file. */
export function fileConflicts<N extends string>(
  name: N,
  file: SettingsFile<unknown>,
): Conflict<N>[] {
  const read = contentOf(file, textOf(file));
  const given = JSON.stringify(file.path);
  return read.ok ? [] : read.problems.map((problem) => {
    return { name, given, allowed: `the path of such a file: ${problem}` };
  });
}

/** Reads a file now, and within 5 s of each change; what it returns ends that. */
export function followFile<T>(
  file: SettingsFile<T>,
  onChange: (read: FileContent<T>) => void,
): () => void {
  let latest: string | undefined;
  // By what it contains: times of change tell nothing if a symbolic link is switched.
  function look(): void {
    const text = textOf(file);
    if (latest === `${text}`) return;
    latest = `${text}`;
    onChange(contentOf(file, text));
  }
  look();
  const timer = setInterval(look, LOOK_EVERY_MS);
  Deno.unrefTimer(timer);
  return () => clearInterval(timer);
}

function textOf({ path }: SettingsFile<unknown>): string | Error {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    return new Error(whyUnreadable(path, error));
  }
}

/** What a file with that text says, or that could not be read; a problem begins with its place, a JSON Pointer (RFC 6901). */
export function contentOf<T>(
  { parse, schema }: Omit<SettingsFile<T>, "path">,
  text: string | Error,
): FileContent<T> {
  try {
    if (text instanceof Error) throw text;
    const result = schema.safeParse(parse(text));
    if (result.success) return { ok: true, value: result.data };
    const problems = result.error.issues.map(({ path, message }) =>
      `${path.map((part) => `/${String(part)}`).join("")}: ${message}`
    );
    return { ok: false, problems };
  } catch (error) {
    // An excerpt may follow.
    const [problem = ""] = describeError(error).split(":\n\n");
    return { ok: false, problems: [problem] };
  }
}
