/**
 * The Cookie header (RFC 6265bis section 5.8) as text: the gateway's cookies are read and removed, and the app's stay
 * byte for byte. A parser that decodes and re-encodes would break apps whose cookies do not quite follow the grammar.
 */

/** Names reserved for the gateway: our own, and those that Daytona's proxy may have left in a browser. */
const OWN_NAME =
  /^(?:__host-|__secure-)?(?:porthole-.*|daytona-sandbox-auth-.*|daytona-preview-page-accepted)$/i;

/**
 * True if a cookie name, with or without a security prefix, is reserved for the gateway.
 *
 * @example
 * ```ts
 * isOwnCookieName("__Host-porthole-session"); // true
 * isOwnCookieName("session"); // false
 * ```
 */
export function isOwnCookieName(name: string): boolean {
  return OWN_NAME.test(name);
}

/**
 * The name in a cookie pair, without the spaces and tabs around it (section 5.7). `trim()` would strip a no-break space
 * as well: browsers do not give `\xa0__Host-a` the protection of the prefix, so another host could set it for all of
 * ours.
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

/**
 * All values of the cookie `name`: an app may have planted another one in front of ours.
 *
 * @example
 * ```ts
 * cookieValues("s=planted; a=1; s=ours", "s"); // ["planted", "ours"]
 * ```
 */
export function cookieValues(header: string, name: string): string[] {
  const values: string[] = [];
  for (const pair of header.split(";")) {
    if (cookieName(pair) !== name) continue;
    values.push(pair.slice(pair.indexOf("=") + 1).trim());
  }
  return values;
}

/**
 * The values of all cookies whose names start with `prefix`, by name, in one pass over the header.
 *
 * @example
 * ```ts
 * cookiesByName("p-a=1; q=2; p-a=3", "p-"); // Map { "p-a" => ["1", "3"] }
 * ```
 */
export function cookiesByName(
  header: string,
  prefix: string,
): Map<string, string[]> {
  const cookies = new Map<string, string[]>();
  for (const pair of header.split(";")) {
    const name = cookieName(pair);
    if (!name.startsWith(prefix)) continue;
    const value = pair.slice(pair.indexOf("=") + 1).trim();
    const values = cookies.get(name);
    if (values === undefined) cookies.set(name, [value]);
    else values.push(value);
  }
  return cookies;
}

/**
 * The Cookie header without the gateway's cookies; undefined if nothing is left of it.
 *
 * @example
 * ```ts
 * withoutOwnCookies("a=1;porthole-session=s; b=2"); // "a=1; b=2"
 * withoutOwnCookies("porthole-session=s"); // undefined
 * ```
 */
export function withoutOwnCookies(header: string): string | undefined {
  const pairs = header.split(";");
  const kept = pairs.filter((pair) => !isOwnCookieName(cookieName(pair)));
  if (kept.length === pairs.length) return header;
  const rest = kept.join(";");
  return rest.trim() === "" ? undefined : rest.replace(/^ /, "");
}
