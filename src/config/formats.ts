/** Formats of settings. */
import ipaddr from "ipaddr.js";
import { z } from "zod";
import { withoutTrailingSlashes } from "../http/url.ts";
import type { Format } from "./read_settings.ts";

/** The longest delay that `setTimeout` supports: with a longer one it fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The bounds of a number, both inclusive. */
interface Bounds {
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

/** A duration in whole seconds, at most what a timer supports. */
export function seconds(
  { min = 1, max = Math.floor(MAX_TIMER_MS / 1000) }: Partial<Bounds> = {},
): Format<number> {
  return {
    allowed: `a whole number of seconds from ${min} to ${max}`,
    schema: integer({ min, max }).schema,
  };
}

/** A switch: true or false. */
export function flag(): Format<boolean> {
  const { allowed, schema } = oneOf("true", "false");
  return { allowed, schema: schema.transform((word) => word === "true") };
}

/** A flag of which only Linux, the system `os`, knows `true`. */
export function linuxFlag(
  os: typeof Deno.build.os = Deno.build.os,
): Format<boolean> {
  const { allowed, schema } = flag();
  return {
    allowed: `${allowed}; true on Linux only`,
    schema: schema.refine((isOn) => !isOn || os === "linux"),
  };
}

/** One of the given words. */
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

/** A secret that can be sent in a header: visible ASCII without spaces. */
export function token(): Format<string> {
  return {
    allowed: "visible ASCII characters without spaces",
    schema: z.string().regex(/^[\x21-\x7e]+$/),
  };
}

/** An `item`; undefined for the empty text. */
export function optional<T>(item: Format<T>): Format<T | undefined> {
  return {
    allowed: item.allowed,
    schema: z.literal("").transform(() => undefined).or(item.schema),
  };
}

/**
 * Any number of `item`s separated by commas; none for the empty text.
 *
 * @example
 * ```ts
 * listOf(integer({ min: 1, max: 9 })).schema.parse("1, 2"); // [1, 2]
 * ```
 */
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

/** The secret of a webhook (Standard Webhooks), of 24 bytes or more. */
export function webhookSecret(): Format<string> {
  return {
    allowed: "whsec_ and at least 24 bytes in base64",
    schema: z.string().regex(
      /^whsec_(?:[A-Za-z0-9+/]{4}){8,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
    ),
  };
}

/** An http or https URL to append paths to: no credentials, query or fragment; trailing slashes are removed. */
export function baseUrl(): Format<string> {
  return {
    allowed:
      "an http or https URL without user name, password, query or fragment",
    schema: z.string()
      .refine((text) => /^https?:\/\//i.test(text) && URL.canParse(text))
      .transform((text) => new URL(text))
      .refine((url) => url.username + url.password === "")
      .refine((url) => !/[?#]/.test(url.href))
      .transform((url) => withoutTrailingSlashes(url.href)),
  };
}

/** A web origin, normalized to its serialization (RFC 6454 section 6.2). */
export function origin(): Format<string> {
  return {
    allowed: "an origin such as https://app.example.com",
    schema: baseUrl().schema
      .refine((url) => new URL(url).pathname === "/")
      .transform((url) => new URL(url).origin),
  };
}

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";

/**
 * The source of a pattern for lower-case host names, at the end of the text or before a port. A last label of digits
 * only is rejected: a URL parser takes such a name, and every name below it, for an IPv4 address.
 */
const HOST_NAME = `(?:${LABEL}\\.)*(?!\\d+(?::|$))${LABEL}`;

/** A base domain and the port that clients reach it at; undefined if that is the scheme's default. */
interface DomainAndPort {
  readonly name: string;
  readonly port: number | undefined;
}

const DOMAIN_AND_PORT = new RegExp(`^(${HOST_NAME})(?::([1-9]\\d{0,4}))?$`);

/** The longest domain name (RFC 1035 section 2.3.4), less one more label and its dot. */
const MAX_DOMAIN_LENGTH = 253 - 64;

/**
 * A domain below which previews have their hosts, lower-cased: it leaves room for one more label in front.
 *
 * @example
 * ```ts
 * previewDomain().schema.parse("Proxy.localhost:4000"); // { name: "proxy.localhost", port: 4000 }
 * ```
 */
export function previewDomain(): Format<DomainAndPort> {
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
        name.length <= MAX_DOMAIN_LENGTH && port <= 65535 &&
        // A URL parser rejects some names that begin with "xn--".
        URL.canParse(`http://${name}`)
      ),
  };
}

/** The path of a file. */
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

/**
 * A range of IP addresses in CIDR notation; a single address is read as a range of one.
 *
 * @example
 * ```ts
 * addressRange().schema.parse("192.0.2.7"); // "192.0.2.7/32"
 * ```
 */
export function addressRange(): Format<string> {
  return {
    allowed: "an IP address or a range such as 10.0.0.0/8",
    schema: z.string()
      .transform((text) => isAddress(text) ? `${text}/${bitsOf(text)}` : text)
      .refine((text) => {
        const [address = "", bits = ""] = text.split("/", 2);
        return isAddress(address) && ipaddr.isValidCIDR(text) &&
          /^\d+$/.test(bits);
      }),
  };
}

/**
 * True for an IP address; stricter than `ipaddr.isValid()`, which also accepts "10" and "0x7f.1".
 *
 * @example
 * ```ts
 * isAddress("::1"); // true
 * isAddress("10"); // false
 * ```
 */
export function isAddress(text: string): boolean {
  return text.includes(":")
    ? ipaddr.IPv6.isValid(text) && !text.includes("%")
    : ipaddr.IPv4.isValidFourPartDecimal(text);
}

function bitsOf(address: string): number {
  return address.includes(":") ? 128 : 32;
}

/** Space-separated scopes for an OpenID provider (RFC 6749 section 3.3), including `openid`. */
export function oidcScope(): Format<string> {
  return {
    allowed: "space-separated scopes, including openid",
    schema: z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e ]+$/)
      .refine((text) => text.split(" ").includes("openid")),
  };
}
