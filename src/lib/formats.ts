/** The formats that settings are written in. */
import ipaddr from "ipaddr.js";
import { z } from "zod";
import type { Format } from "./settings.ts";
import { withoutTrailingSlashes } from "./slashes.ts";

/** The longest delay that a timer takes: above it, `setTimeout` fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The bounds of a number, both included. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** A whole number in decimal digits. */
export function integer({ min, max }: Bounds): Format<number> {
  return {
    allowed: `a whole number from ${min} to ${max}`,
    schema: z.string().regex(/^\d+$/).transform(Number)
      .pipe(z.number().min(min).max(max)),
  };
}

/** A duration written in whole seconds, read as milliseconds, never longer than a timer can wait. */
export function seconds(
  { min = 1, max = Math.floor(MAX_TIMER_MS / 1000) }: Partial<Bounds> = {},
): Format<number> {
  return {
    allowed: `a whole number of seconds from ${min} to ${max}`,
    schema: integer({ min, max }).schema.transform((value) => value * 1000),
  };
}

/** One word of a closed list. */
export function oneOf<const T extends string>(
  ...words: readonly T[]
): Format<T> {
  return { allowed: words.join(", "), schema: z.enum(words) };
}

/** A secret that can travel in a header: visible ASCII without blanks. */
export function token(): Format<string> {
  return {
    allowed: "visible ASCII characters without blanks",
    schema: z.string().regex(/^[\x21-\x7e]+$/),
  };
}

/** Scopes for an OpenID provider (RFC 6749 section 3.3). */
export function scope(): Format<string> {
  return {
    allowed: "scopes with blanks between them, openid among them",
    schema: z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e ]+$/)
      .refine((text) => text.split(" ").includes("openid")),
  };
}

/** An `item`, or undefined for the empty text. */
export function optional<T>(item: Format<T>): Format<T | undefined> {
  return {
    allowed: item.allowed,
    schema: z.literal("").transform(() => undefined).or(item.schema),
  };
}

/** Any number of `item`s with commas between them, the empty text being none. */
export function listOf<T>(item: Format<T>): Format<readonly T[]> {
  return {
    allowed: `a comma-separated list, each ${item.allowed}`,
    schema: z.string()
      .transform((text) => text.split(",").map((part) => part.trim()))
      .transform((parts) => parts.filter((part) => part !== ""))
      .pipe(z.array(item.schema)),
  };
}

/** A secret of at least `min` characters. */
export function longSecret(min: number): Format<string> {
  return {
    allowed: `at least ${min} characters long`,
    schema: z.string().min(min),
  };
}

/** An http or https URL whose path may be extended: without credentials, query, fragment and final slashes. */
export function baseUrl(): Format<string> {
  return {
    allowed:
      "an http or https URL without user name, password, query and fragment",
    schema: z.string()
      .refine((text) => /^https?:\/\//i.test(text) && URL.canParse(text))
      .transform((text) => new URL(text))
      .refine((url) => url.username + url.password === "")
      .refine((url) => !/[?#]/.test(url.href))
      .transform((url) => withoutTrailingSlashes(url.href)),
  };
}

/** A web origin (RFC 6454 section 6.2), in its canonical spelling. */
export function origin(): Format<string> {
  return {
    allowed: "an origin such as https://app.example.com",
    schema: baseUrl().schema
      .refine((url) => new URL(url).pathname === "/")
      .transform((url) => new URL(url).origin),
  };
}

/** A domain and the port it is reached at, undefined where that is the scheme's own. */
export interface DomainAndPort {
  readonly name: string;
  readonly port: number | undefined;
}

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
// A last label of digits only would make every name below it an IPv4 address for a URL parser.
const HOST_NAME = `(?:${LABEL}\\.)*(?!\\d+(?::|$))${LABEL}`;
const DOMAIN_AND_PORT = new RegExp(`^(${HOST_NAME})(?::([1-9]\\d{0,4}))?$`);
/** What a name may have at most (RFC 1035 section 2.3.4), less one more label and its dot. */
const MAX_PARENT_LENGTH = 253 - 64;

/** A domain that takes one more label in front, lower-cased. */
export function parentDomain(): Format<DomainAndPort> {
  return {
    allowed:
      "a domain such as preview.example.com or proxy.localhost:4000, without a leading dot",
    schema: z.string().toLowerCase().regex(DOMAIN_AND_PORT)
      .transform((text) => DOMAIN_AND_PORT.exec(text) ?? [])
      .transform(([, name = "", port]) => ({
        name,
        port: port === undefined ? undefined : Number(port),
      }))
      .refine(({ name, port = 1 }) =>
        name.length <= MAX_PARENT_LENGTH && port <= 65535 &&
        // Not every name that begins with "xn--" is one for a URL parser.
        URL.canParse(`http://${name}`)
      ),
  };
}

/** A file's path. */
export function filePath(): Format<string> {
  return {
    allowed: "a path",
    schema: z.string().refine((text) => !text.includes("\0")),
  };
}

/** An address to listen on. */
export function listenAddress(): Format<string> {
  return {
    allowed: "an IP address or a host name",
    schema: z.string().refine((text) =>
      isAddress(text) || new RegExp(`^${HOST_NAME}$`, "i").test(text)
    ),
  };
}

/** A range of IP addresses in CIDR notation; a single address is read as the range of itself. */
export function addressRange(): Format<string> {
  return {
    allowed: "an IP address or a range such as 10.0.0.0/8",
    schema: z.string()
      .transform((text) => isAddress(text) ? `${text}/${widthOf(text)}` : text)
      .refine((text) => {
        const [address = "", bits = ""] = text.split("/", 2);
        return isAddress(address) && ipaddr.isValidCIDR(text) &&
          /^\d+$/.test(bits);
      }),
  };
}

// Not ipaddr.isValid alone: it reads "10" and "0x7f.1" as addresses too.
function isAddress(text: string): boolean {
  return text.includes(":")
    ? ipaddr.IPv6.isValid(text) && !text.includes("%")
    : ipaddr.IPv4.isValidFourPartDecimal(text);
}

function widthOf(address: string): number {
  return address.includes(":") ? 128 : 32;
}
