/** Who may open which port, as labels and the operator say it, and the format of the latter. */
import { parsedBy } from "./formats.ts";
import type { Format } from "./read_settings.ts";

/** From open to shut. */
export const PORT_WORDS = [
  "public",
  "share",
  "login",
  "members",
  "off",
] as const;

export type PortWord = (typeof PORT_WORDS)[number];

/** A word for one port, or for all that have none of their own (`*`). */
export interface PortRule {
  readonly port: number | "*";
  readonly word: PortWord;
}

function ruleOf(text: string): PortRule | undefined {
  const [, digits = "*", name] =
    /^(?:(\*|[1-9]\d{0,4})=)?([a-z]+)$/.exec(text) ?? [];
  const word = PORT_WORDS.find((word) => word === name);
  const port = digits === "*" ? digits : Number(digits);
  if (word === undefined || port !== "*" && port > 65_535) return undefined;
  return { port, word };
}

const allowed = `${
  PORT_WORDS.join(", ")
}; or a list such as 3000=public,*=members, each port once`;

/** A word for all ports, or rules for some. */
export const portRules: Format<readonly PortRule[]> = parsedBy(
  allowed,
  (text) => {
    const parts = text.split(",").map((part) => ruleOf(part.trim()));
    const rules = parts.filter((rule) => rule !== undefined);
    const ports = new Set(rules.map(({ port }) => port));
    return ports.size === parts.length ? rules : undefined;
  },
);
