/** What the owner's view shows of heads: credentials are hidden before anything leaves the gateway. */
import type { Header, HeaderList } from "../../http/headers.ts";

/** Names of headers and of parameters whose values are, or may be, credentials. */
const SECRET =
  /auth|token|secret|passw|(?:api|access|private|subscription)[-_]?key|signature|session|credential|jwt|csrf|xsrf|otp|^(?:code|state|key|sig|pwd|pass|sid)$/i;

/** Names of that kind whose values are none: of standard headers, and of everyday parameters. */
const HARMLESS =
  /^(?:access-control-allow-credentials|(?:www|proxy)-authenticate|authors?|author[-_]?(?:id|name)|(?:max|min)[-_]?tokens|session[-_]?(?:count|type))$/i;

/** A parameter of a query or a fragment. No two can begin within the same text, whose writer decides what it costs. */
const PARAMETER = /(^[?#]|[&;#])([^=&;#]*)=([^&;#]*)/g;

/** The name of a parameter in a URL within the value of another. */
const INNER_NAME = /[?&;#]([^?=&;#]*)=/g;

/** A host with the token of a signed link, where a header or a URL names one. */
const SIGNED_HOST = /(^|\/\/|%2f%2f|[\s,="])(\d{1,5}-)[a-z0-9]{16}(?=\.)/gi;

/** A JWT, or a key of Daytona or of another well-known service, whatever it is called. */
const TOKEN =
  /(?<![\w-])(?:eyJ[\w-]+\.[\w-]+\.[\w-]*|dtn_[\w-]+|(?:gh[oprsu]_|github_pat_|glpat-|npm_|sk-|[rs]k_(?:live|test)_|xox[abeoprs]-|pp_)[\w-]{20,}|A[KS]IA[0-9A-Z]{16}|AIza[\w-]{35})/g;

/** The longest value, reason and target, characters; the most headers, and characters of them together. */
const MAX_VALUE = 1024;
const MAX_TARGET = 2048;
const MAX_HEADERS = 64;
const MAX_HEADER_CHARS = 8192;

/** The most of a text that is read, characters: 60 KiB of parameters would take 10 ms. */
const MAX_READ = 8192;

/** A longer subprotocol may be a credential: browsers can send one in no other way. */
const MAX_PROTOCOL = 24;

/** What stands for a hidden value; a marker, and not its length, which tells something of it. */
const HIDDEN = "(hidden)";

/** A request-target without values that may be credentials, as in `/a?access_token=(hidden)`; 2,048 characters at most. */
export function redactTarget(target: string): string {
  return cut(withoutSecrets(target), MAX_TARGET);
}

/** Whole parts only: half a token looks like none. */
function beginningOf(text: string): string {
  const ends = [..."&;#?/, "].map((mark) => text.lastIndexOf(mark, MAX_READ));
  return `${text.slice(0, Math.max(...ends) + 1)}…`;
}

/**
 * A text with what it encodes of ASCII decoded, as far as that can be; an exception for each part that cannot be decoded
 * would take some 15 us, and a target has room for 16,000.
 */
function asciiDecoded(text: string): string {
  return text.replaceAll(
    /%([0-7][0-9A-F])/gi,
    (_, digits: string) => String.fromCharCode(parseInt(digits, 16)),
  );
}

/** A text without the values of such parameters, if it is or has a URL, and without tokens. */
function withoutSecrets(given: string): string {
  const text = given.length > MAX_READ ? beginningOf(given) : given;
  const at = text.search(/[?#]/);
  const redacted = at < 0 ? text : text.slice(0, at) +
    text.slice(at).replace(
      PARAMETER,
      (pair, mark: string, name: string, value: string) =>
        // A fragment may hold a path with a query of its own.
        isSecretName(asciiDecoded(name).split("?").pop() ?? "") ||
          hasSecret(asciiDecoded(value))
          ? `${mark}${name}=${HIDDEN}`
          : pair,
    );
  return redacted.replace(SIGNED_HOST, `$1$2${HIDDEN}`)
    .replace(TOKEN, HIDDEN);
}

function isSecretName(name: string): boolean {
  return SECRET.test(name) && !HARMLESS.test(name);
}

function hasSecret(value: string): boolean {
  return [...value.matchAll(INNER_NAME)]
    .some(([, name = ""]) => isSecretName(name));
}

/** Header lines as they may be shown, such as `Cookie: a=(hidden)`: at most 64 lines and 8,192 characters. */
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
      return value.split(";").map(withoutValue).join("; ");
    case "set-cookie": {
      const [pair = "", ...attributes] = value.split(";");
      return [withoutValue(pair), ...attributes].join(";");
    }
    case "sec-websocket-protocol":
      return value.split(",").map((each) => each.trim()).map((each) =>
        each.length > MAX_PROTOCOL || SECRET.test(each) ? HIDDEN : each
      ).join(", ");
  }
  return isSecretName(name) ? HIDDEN : withoutSecrets(value);
}

/** A cookie without its value, which is all of it if it has no name (RFC 6265bis section 5.6). */
function withoutValue(pair: string): string {
  const at = pair.indexOf("=");
  return at < 0 ? HIDDEN : `${pair.slice(0, at).trim()}=${HIDDEN}`;
}

/** A failure's reason without addresses, which are those of the installation's own machines: `no answer of (address)`. */
export function redactReason(reason: string): string {
  return cut(
    reason.slice(0, 2 * MAX_VALUE) // as below, it takes the square of that
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
