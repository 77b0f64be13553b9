/**
 * The Cookie header (RFC 6265bis section 5.8) as text: the gateway's cookies are read and removed, and the app's stay
 * byte for byte. A parser that decodes and re-encodes would break apps whose cookies do not quite follow the grammar.
 */
import { copyOf } from "../lib/copy_of.ts";
import { Lru } from "../lib/lru.ts";

/** Names reserved for the gateway: our own, and those that Daytona's proxy may have left in a browser. */
const OWN_NAME =
  /^(?:__host-|__secure-)?(?:porthole-.*|daytona-sandbox-auth-.*|daytona-preview-page-accepted)$/i;

/** What is in every one of those names, and in few headers without one of them. */
const MARKS_OF_OWN = /porthole-|daytona-/i;

/** True if a cookie name is reserved for the gateway. @example `isOwnCookieName("__Host-porthole-session")` is true */
export function isOwnCookieName(name: string): boolean {
  return OWN_NAME.test(name);
}

/**
 * The name in a cookie pair, without the spaces and tabs around it (section 5.7). `trim()` would strip a no-break space
 * too, but browsers do not protect `\xa0__Host-a` by its prefix: another host could set it for all of ours.
 */
export function cookieName(pair: string): string {
  const equals = pair.indexOf("=");
  let end = equals < 0 ? pair.length : equals;
  let start = 0;
  while (start < end && isBlank(pair[start])) start++;
  while (start < end && isBlank(pair[end - 1])) end--;
  return pair.slice(start, end);
}

function isBlank(character: string | undefined): boolean {
  return character === " " || character === "\t";
}

/** All values of a cookie, since an app may plant another. @example `cookieValues("s=a; s=b", "s")` is `["a", "b"]` */
export function cookieValues(header: string, name: string): string[] {
  return header.split(";").filter((pair) => cookieName(pair) === name)
    .map(valueIn);
}

/** Values by name of cookies with a prefix. @example `cookiesByName("p-a=1; p-a=3", "p-")` has "p-a" => ["1", "3"] */
export function cookiesByName(
  header: string,
  prefix: string,
): Map<string, string[]> {
  const pairs = header.split(";")
    .filter((pair) => cookieName(pair).startsWith(prefix));
  const cookies = [...Map.groupBy(pairs, cookieName)];
  return new Map(cookies.map(([name, pairs]) => [name, pairs.map(valueIn)]));
}

export type SentCookie = readonly [name: string, value: string];

interface CookieSplit {
  /** The gateway's cookies, in the order of the header. */
  readonly own: readonly SentCookie[];
  /** The app's, byte for byte; undefined if there are none. */
  readonly rest: string | undefined;
}

/** Bounds of what is remembered, since clients choose the headers: 3 MiB with all texts and parts. */
const MAX_SPLITS = 512;
const MAX_SPLIT_LENGTH = 2048;
const MAX_SPLIT_COOKIES = 16;

/** The latest headers with cookies of ours: a browser sends the same one with all requests of a page. */
const splits = new Lru<string, CookieSplit>({ max: MAX_SPLITS });

/** The gateway's cookies in a header. @example `sentOwnCookies("a=1;porthole-s= s")` is `[["porthole-s", "s"]]` */
export function sentOwnCookies(header: string): readonly SentCookie[] {
  return splitCookies(header).own;
}

/** A Cookie header without ours; undefined if that is empty. @example `withoutOwnCookies("a=1;porthole-s=s")` is `"a=1"` */
export function withoutOwnCookies(header: string): string | undefined {
  return splitCookies(header).rest;
}

function splitCookies(header: string): CookieSplit {
  if (!MARKS_OF_OWN.test(header)) return { own: [], rest: header };
  if (header.length > MAX_SPLIT_LENGTH) return splitAnew(header);
  let split = splits.get(header);
  if (split === undefined) {
    const copy = copyOf(header);
    split = splitAnew(copy);
    if (split.own.length <= MAX_SPLIT_COOKIES) splits.set(copy, split);
  }
  return split;
}

function splitAnew(header: string): CookieSplit {
  const own: SentCookie[] = [];
  const kept: string[] = [];
  for (const pair of header.split(";")) {
    const name = cookieName(pair);
    if (isOwnCookieName(name)) own.push([name, valueIn(pair)]);
    else kept.push(pair);
  }
  if (own.length === 0) return { own, rest: header };
  const rest = kept.join(";");
  return { own, rest: rest.trim() === "" ? undefined : rest.replace(/^ /, "") };
}

function valueIn(pair: string): string {
  return pair.slice(pair.indexOf("=") + 1).trim();
}
