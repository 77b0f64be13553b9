/** The rule about who gets in by a login, and its format. */
import { z } from "zod";
import { previewDomain } from "./formats.ts";
import type { Format } from "./read_settings.ts";

/** Who gets in by a login: whom any of the three admits. E-mail addresses and domains are in lower case. */
export interface LoginRule {
  readonly emails: readonly string[];
  /** Domains of e-mail addresses; one says nothing of those below it. */
  readonly domains: readonly string[];
  readonly groups: readonly string[];
}

/** A part of the rule. */
type Entry = { readonly [K in keyof LoginRule]: { [P in K]: string } }[
  keyof LoginRule
];

const GROUP = "group:";

function entryOf(text: string): Entry | undefined {
  if (text.startsWith(GROUP)) {
    const name = text.slice(GROUP.length).trim();
    return name === "" ? undefined : { groups: name };
  }
  const [, local, domain] = /^([\x21-\x3f\x41-\x7e]*)@([^@]+)$/.exec(text) ??
    [];
  if (local === undefined || domain === undefined) return undefined;
  if (!isDomain(domain)) return undefined;
  return local === ""
    ? { domains: domain.toLowerCase() }
    : { emails: text.toLowerCase() };
}

function isDomain(text: string): boolean {
  return !text.includes(":") && previewDomain().schema.safeParse(text).success;
}

/** One part of `LOGIN_ALLOW`. */
export function loginAllowEntry(): Format<Entry> {
  return {
    allowed: "an e-mail address, @ and a domain, or group: and a name",
    schema: z.string().transform((text, context): Entry => {
      const entry = entryOf(text);
      if (entry !== undefined) return entry;
      context.addIssue("neither an address nor a domain nor a group");
      return z.NEVER;
    }),
  };
}

/**
 * The rule of all parts; undefined if there are none.
 *
 * @example
 * ```ts
 * loginRule([{ domains: "example.com" }, { groups: "staff" }]);
 * // { emails: [], domains: ["example.com"], groups: ["staff"] }
 * ```
 */
export function loginRule(entries: readonly Entry[]): LoginRule | undefined {
  if (entries.length === 0) return undefined;
  return {
    emails: entries.flatMap((entry) => "emails" in entry ? entry.emails : []),
    domains: entries.flatMap((entry) =>
      "domains" in entry ? entry.domains : []
    ),
    groups: entries.flatMap((entry) => "groups" in entry ? entry.groups : []),
  };
}
