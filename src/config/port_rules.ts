/** Whom ports admit, in the words of labels and of the operator, and the format of the latter's. */
import { parsedBy } from "./formats.ts";
import type { Format } from "./read_settings.ts";

/** Whom a port admits: bits, so that `&` leaves whom both sides admit. */
export type PortAccess = number;

/** Whoever comes, without a credential. */
export const ANYONE = 1;
/** Whoever has a grant or a signed link. */
export const SHARED = 2;
/** Whoever has logged in with a verified address, as a visitor. */
export const LOGINS = 4;
/** Visitors whom `porthole.allow` names. */
export const NAMED = 8;
/** Members, and preview tokens. */
export const MEMBERS = 16;

/** What Daytona means by private. */
export const PRIVATE = SHARED | NAMED | MEMBERS;
/** All of these. */
export const EVERYBODY = PRIVATE | ANYONE | LOGINS;

const WORDS: Readonly<Record<string, PortAccess>> = {
  public: EVERYBODY,
  share: PRIVATE,
  login: LOGINS | NAMED | MEMBERS,
  members: MEMBERS,
  off: 0,
};

/** What a word means; undefined if it is none. */
export function accessBy(word: string): PortAccess | undefined {
  return Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
}

/** Whom a port admits; all that have no rule of their own: `*`. */
export type PortRules = ReadonlyMap<number | "*", PortAccess>;

const RULE = /^(?:(\*|[1-9]\d{0,4})=)?([a-z]+)$/;

/** A word for all ports, or one for each of some. */
export const portRules: Format<PortRules> = parsedBy(
  `${
    Object.keys(WORDS).join(", ")
  }; or a list such as 3000=public,*=members, each port once`,
  (text) => {
    const rules = new Map<number | "*", PortAccess>();
    for (const part of text.split(",")) {
      const [, digits = "*", word = ""] = RULE.exec(part.trim()) ?? [];
      const port = digits === "*" ? digits : Number(digits);
      const access = accessBy(word);
      const isPort = port === "*" || port <= 65_535;
      if (access === undefined || !isPort || rules.has(port)) return undefined;
      rules.set(port, access);
    }
    return rules;
  },
);
