/**
 * The Cookie field (RFC 6265bis section 5.8) as text: the gateway's cookies are read and removed, and the app's stay
 * byte for byte. A parser that decodes and re-encodes would break apps whose cookies do not quite follow the grammar.
 */

/** Names reserved for the gateway: our own, and those that Daytona's proxy may have left in a browser. */
const OWN_NAME =
  /^(?:__host-|__secure-)?(?:porthole-.*|daytona-sandbox-auth-.*|daytona-preview-page-accepted)$/i;

/** Whether a cookie name, with or without a security prefix, is reserved for the gateway. */
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

/** All values of the cookie `name`: an app may have planted another one in front of ours. */
export function cookieValues(field: string, name: string): string[] {
  const values: string[] = [];
  for (const pair of field.split(";")) {
    if (cookieName(pair) !== name) continue;
    values.push(pair.slice(pair.indexOf("=") + 1).trim());
  }
  return values;
}

/** The distinct cookie names in a Cookie field that start with `prefix`. */
export function cookieNames(field: string, prefix: string): string[] {
  return [...cookiesByName(field, prefix).keys()];
}

/** The values of all cookies whose names start with `prefix`, by name; one pass over the field. */
export function cookiesByName(
  field: string,
  prefix: string,
): Map<string, string[]> {
  const cookies = new Map<string, string[]>();
  for (const pair of field.split(";")) {
    const name = cookieName(pair);
    if (!name.startsWith(prefix)) continue;
    const value = pair.slice(pair.indexOf("=") + 1).trim();
    const values = cookies.get(name);
    if (values === undefined) cookies.set(name, [value]);
    else values.push(value);
  }
  return cookies;
}

/** The Cookie field without the gateway's cookies; undefined if nothing is left of it. */
export function withoutOwnCookies(field: string): string | undefined {
  const pairs = field.split(";");
  const kept = pairs.filter((pair) => !isOwnCookieName(cookieName(pair)));
  if (kept.length === pairs.length) return field;
  const rest = kept.join(";");
  return rest.trim() === "" ? undefined : rest.replace(/^ /, "");
}
