import ipaddr from "ipaddr.js";
import { z } from "zod";
import { isAncestor } from "../http/origin.ts";
import { withoutTrailingSlashes } from "../http/url.ts";
import type { Format } from "./read_settings.ts";

/** The longest delay that `setTimeout` supports: with a longer one it fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The bounds of a number, both inclusive. */
type Bounds = Readonly<Record<"min" | "max", number>>;

export function integer({ min, max }: Bounds): Format<number> {
  return {
    allowed: `a whole number from ${min} to ${max}`,
    schema: z.string().regex(/^\d+$/).transform(Number)
      .pipe(z.number().min(min).max(max)),
  };
}

/** A duration in whole seconds, at most what a timer supports. */
export function seconds(
  { min = 1, max = Math.floor(MAX_TIMER_MS / 1000) }: Partial<Bounds> = {},
): Format<number> {
  return {
    allowed: `a whole number of seconds from ${min} to ${max}`,
    schema: integer({ min, max }).schema,
  };
}

export const flag: Format<boolean> = {
  allowed: "true, false",
  schema: z.enum(["true", "false"]).transform((word) => word === "true"),
};

/** A flag of which only Linux, the system `os`, knows `true`. */
export function linuxFlag(
  os: typeof Deno.build.os = Deno.build.os,
): Format<boolean> {
  const { allowed, schema } = flag;
  return {
    allowed: `${allowed}; true on Linux only`,
    schema: schema.refine((isOn) => !isOn || os === "linux"),
  };
}

export function oneOf<const T extends string>(
  ...words: readonly T[]
): Format<T> {
  return { allowed: words.join(", "), schema: z.enum(words) };
}

/** A word of `format`, which may also be spelt in the other ways that `spellings` has. */
export function orSpelt<T extends string>(
  format: Format<T>,
  spellings: Readonly<Record<string, NoInfer<T>>>,
): Format<T> {
  return {
    allowed: `${format.allowed}; also ${Object.keys(spellings).join(", ")}`,
    schema: z.string().transform((word) => spellings[word] ?? word)
      .pipe(format.schema),
  };
}

/** Which of many are noted: all that fail and one in that many of the others (1 for `all`), those that fail, or none. */
export const shareOfSuccesses: Format<number | "errors" | "off"> = parsedBy(
  "all, errors, off, or one in N such as 1/100",
  (text) => {
    if (text === "errors" || text === "off") return text;
    const count = text === "all" ? "1" : /^1\/([1-9]\d{0,6})$/.exec(text)?.[1];
    return count === undefined ? undefined : Number(count);
  },
);

/** A secret that can be sent in a header: visible ASCII without spaces. */
export const token: Format<string> = {
  allowed: "visible ASCII characters without spaces",
  schema: z.string().regex(/^[\x21-\x7e]+$/),
};

/** An `item`; undefined for the empty text. */
export function optional<T>(item: Format<T>): Format<T | undefined> {
  return {
    allowed: item.allowed,
    schema: z.literal("").transform(() => undefined).or(item.schema),
  };
}

/** Any number of `item`s separated by commas; none for the empty text. */
export function listOf<T>(item: Format<T>): Format<readonly T[]> {
  return {
    allowed: `a comma-separated list, each ${item.allowed}`,
    schema: z.string()
      .transform((text) => text.split(",").map((part) => part.trim()))
      .transform((parts) => parts.filter((part) => part !== ""))
      .pipe(z.array(item.schema)),
  };
}

/** An `item`, or `none` for an empty list. */
export function orNone<T>(
  item: Format<readonly T[]>,
): Format<readonly T[]> {
  return {
    allowed: `none, or ${item.allowed}`,
    schema: z.literal("none").transform((): readonly T[] => []).or(item.schema),
  };
}

/** What `parse` makes of a text, unless that is undefined. */
export function parsedBy<T>(
  allowed: string,
  parse: (text: string) => T | undefined,
): Format<T> {
  const schema = z.string().transform((text, context) => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue(`not ${allowed}`);
    return z.NEVER;
  });
  return { allowed, schema };
}

export function longSecret(min: number): Format<string> {
  return {
    allowed: `at least ${min} characters long`,
    schema: z.string().min(min),
  };
}

/** An http or https URL to append paths to; trailing slashes are removed. */
export const baseUrl: Format<string> = parsedBy(
  "an http or https URL without user name, password, query or fragment",
  (text) => {
    const url = /^https?:\/\//i.test(text) ? URL.parse(text) : null;
    if (!url || url.username + url.password !== "") return undefined;
    return /[?#]/.test(url.href) ? undefined : withoutTrailingSlashes(url.href);
  },
);

/** A web origin, normalized to its serialization (RFC 6454 section 6.2). */
export const origin: Format<string> = {
  allowed: "an origin such as https://app.example.com",
  schema: baseUrl.schema
    .refine((url) => new URL(url).pathname === "/")
    .transform((url) => new URL(url).origin),
};

/** An origin whose pages may frame previews, normalized. */
export const ancestor: Format<string> = {
  allowed: "an origin such as https://app.example.com or http://localhost:5173",
  schema: origin.schema.refine(isAncestor),
};

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";

/**
 * The source of a pattern for lower-case host names, at the end of the text or before a port. A last label that is a
 * number, also hexadecimal, is rejected: a URL parser takes such a name, and every name below it, for an IPv4 address.
 */
const HOST_NAME = `(?:${LABEL}\\.)*(?!(?:\\d+|0x[\\da-f]*)(?::|$))${LABEL}`;

/** A base domain and the port that clients reach it at; undefined if that is the scheme's default. */
type DomainAndPort = Readonly<{ name: string; port: number | undefined }>;

const DOMAIN_AND_PORT = new RegExp(`^(${HOST_NAME})(?::([1-9]\\d{0,4}))?$`);

/** The longest domain name (RFC 1035 section 2.3.4), less one more label and its dot. */
const MAX_DOMAIN_LENGTH = 253 - 64;

/** A domain below which previews have their hosts, lower-cased: it leaves room for one more label in front. */
export const previewDomain: Format<DomainAndPort> = parsedBy(
  "a domain such as preview.example.com or proxy.localhost:4000, without a leading dot",
  (text) => {
    const [, name = "", digits] = DOMAIN_AND_PORT.exec(text.toLowerCase()) ??
      [];
    const port = digits === undefined ? undefined : Number(digits);
    // A URL parser rejects some names that begin with "xn--".
    const isValid = name !== "" && name.length <= MAX_DOMAIN_LENGTH &&
      (port ?? 1) <= 65535 && URL.canParse(`http://${name}`);
    return isValid ? { name, port } : undefined;
  },
);

export const filePath: Format<string> = {
  allowed: "a path",
  schema: z.string().refine((text) => !text.includes("\0")),
};

export const listenAddress: Format<string> = {
  allowed: "an IP address or a host name",
  schema: z.string().refine((text) =>
    isAddress(text) || new RegExp(`^${HOST_NAME}$`, "i").test(text)
  ),
};

/** A range of IP addresses in CIDR notation; a single address is read as a range of one. */
export const addressRange: Format<string> = parsedBy(
  "an IP address or a range such as 10.0.0.0/8",
  (text) => {
    if (isAddress(text)) return `${text}/${text.includes(":") ? 128 : 32}`;
    const [address = "", bits = ""] = text.split("/", 2);
    const isRange = isAddress(address) && /^\d+$/.test(bits) &&
      ipaddr.isValidCIDR(text);
    return isRange ? text : undefined;
  },
);

/** True for an IP address; stricter than `ipaddr.isValid()`, which also accepts "10" and "0x7f.1". */
export function isAddress(text: string): boolean {
  return text.includes(":")
    ? ipaddr.IPv6.isValid(text) && !text.includes("%")
    : ipaddr.IPv4.isValidFourPartDecimal(text);
}

/** Space-separated scopes for an OpenID provider (RFC 6749 section 3.3), including `openid`. */
export const oidcScope: Format<string> = {
  allowed: "space-separated scopes, including openid",
  schema: z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e ]+$/)
    .refine((text) => text.split(" ").includes("openid")),
};
