/** What the owner's view shows of heads: credentials are hidden before anything leaves the gateway. */
import type { Header, HeaderList } from "../../lib/headers.ts";

/** Names of headers and of parameters whose values are, or may be, credentials. */
const SECRET =
  /auth|token|secret|passw|api[-_]?key|signature|session|credential|jwt|csrf|xsrf|otp|^(?:code|state|key|sig|pwd|pass|sid)$/i;

/** Headers that hold a URL, whose query may hold a credential. */
const URLS: ReadonlySet<string> = new Set([
  "referer",
  "location",
  "content-location",
]);

/** The longest text of one value or target, characters; the most of all headers together, and of them. */
const MAX_VALUE = 1024;
const MAX_TARGET = 2048;
const MAX_HEADERS = 64;
const MAX_HEADER_CHARS = 8192;

/** A subprotocol that is longer may be a credential: browsers can send one in no other way. */
const MAX_PROTOCOL = 24;

/** What stands for a hidden value; a marker, and not its length, which tells something of it. */
export const HIDDEN = "(hidden)";

/**
 * A request-target without the values of parameters that may be credentials, and no longer than 2,048 characters.
 *
 * @example
 * ```ts
 * redactTarget("/a?page=2&access_token=abc"); // "/a?page=2&access_token=(hidden)"
 * ```
 */
export function redactTarget(target: string): string {
  const at = target.search(/[?#]/);
  const redacted = at < 0 ? target : target.slice(0, at) +
    target.slice(at).replace(
      /([?&;#])([^=&;#]*)=([^&;#]*)/g,
      (pair, mark: string, name: string) =>
        SECRET.test(decoded(name)) ? `${mark}${name}=${HIDDEN}` : pair,
    );
  return cut(redacted, MAX_TARGET);
}

/**
 * Header lines as they may be shown: at most 64 lines and 8,192 characters.
 *
 * @example
 * ```ts
 * redactHeaders([["Cookie", "a=1; b=2"]]); // [["Cookie", "a=(hidden); b=(hidden)"]]
 * ```
 */
export function redactHeaders(headers: Iterable<Header>): HeaderList {
  const shown: Header[] = [];
  let left = MAX_HEADER_CHARS;
  for (const [name, value] of headers) {
    const text = cut(redactValue(name.toLowerCase(), value), MAX_VALUE);
    left -= name.length + text.length;
    if (left < 0 || shown.length >= MAX_HEADERS) {
      shown.push(["…", "(more)"]);
      break;
    }
    shown.push([name, text]);
  }
  return shown;
}

/** The value of a header, by its lower-case name. */
function redactValue(name: string, value: string): string {
  switch (name) {
    case "cookie":
      return value.split(";").map((pair) => `${nameIn(pair)}=${HIDDEN}`)
        .join("; ");
    case "set-cookie": {
      const [pair = "", ...attributes] = value.split(";");
      return [`${nameIn(pair)}=${HIDDEN}`, ...attributes].join(";");
    }
    case "www-authenticate":
      return value;
    case "sec-websocket-protocol":
      return value.split(",").map((each) => each.trim()).map((each) =>
        each.length > MAX_PROTOCOL || SECRET.test(each) ? HIDDEN : each
      ).join(", ");
  }
  if (SECRET.test(name)) return HIDDEN;
  return URLS.has(name) ? redactTarget(value) : value;
}

function nameIn(pair: string): string {
  return pair.replace(/=.*$/s, "").trim();
}

/**
 * A failure's reason without the addresses in it, which are those of the installation's own machines.
 *
 * @example
 * ```ts
 * redactReason("no answer of 10.0.0.7:3003"); // "no answer of (address)"
 * ```
 */
export function redactReason(reason: string): string {
  return cut(
    reason
      .replaceAll(/\bhttps?:\/\/[^\s"']+/gi, "(address)")
      .replaceAll(
        /\[[0-9a-f:.]+\](?::\d+)?|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?|\b[\w.-]+:\d+\b/gi,
        "(address)",
      ),
    MAX_VALUE,
  );
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
