/** The rule about who gets in by a login, and its format. */
import { parsedBy, previewDomain } from "./formats.ts";
import type { Format } from "./read_settings.ts";

/** Who gets in by a login: whom any of the three admits. E-mail addresses and domains are in lower case. */
export interface LoginRule {
  readonly emails: readonly string[];
  /** Domains of e-mail addresses; one says nothing of those below it. */
  readonly domains: readonly string[];
  readonly groups: readonly string[];
}

/** A part of the rule: one of the three. */
type Entry = { readonly [K in keyof LoginRule]?: string };

const GROUP = "group:";

function entryOf(text: string): Entry | undefined {
  if (text.startsWith(GROUP)) {
    const name = text.slice(GROUP.length).trim();
    return name === "" ? undefined : { groups: name };
  }
  const [, local, domain] = /^([\x21-\x3f\x41-\x7e]*)@([^@:]+)$/.exec(text) ??
    [];
  if (!previewDomain.schema.safeParse(domain).success) return undefined;
  return local === ""
    ? { domains: text.slice(1).toLowerCase() }
    : { emails: text.toLowerCase() };
}

export const loginAllowEntry: Format<Entry> = parsedBy(
  "an e-mail address, @ and a domain, or group: and a name",
  entryOf,
);

/** The rule of all parts; undefined if there are none. */
export function loginRule(entries: readonly Entry[]): LoginRule | undefined {
  if (entries.length === 0) return undefined;
  return {
    emails: entries.flatMap(({ emails }) => emails ?? []),
    domains: entries.flatMap(({ domains }) => domains ?? []),
    groups: entries.flatMap(({ groups }) => groups ?? []),
  };
}
