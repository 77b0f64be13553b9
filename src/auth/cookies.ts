/**
 * The Cookie field (RFC 6265bis section 5.8) as text: ours are read and taken out, the app's stay byte for byte. A
 * parser that decodes and re-encodes would break an app whose cookies are not quite to the letter.
 */

/** Names that belong to the gateway: our own, and those that Daytona's proxy may have left in a browser. */
const OWN_NAME =
  /^(?:__host-|__secure-)?(?:porthole-.*|daytona-sandbox-auth-.*|daytona-preview-page-accepted)$/i;

/** Whether a cookie name is reserved for the gateway, whatever its security prefix. */
export function isOwnCookieName(name: string): boolean {
  return OWN_NAME.test(name);
}

/**
 * The name in a pair, without the blanks around it (section 5.7). Not by `trim()`, which takes a no-break space off too:
 * `\xa0__Host-a` is no name that the prefix protects, and another site's server can set it for all hosts of ours.
 */
export function nameOf(pair: string): string {
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

/** Every value of the cookie `name`: an app may have planted a second one, so the first is not the only one. */
export function cookieValues(field: string, name: string): string[] {
  const values: string[] = [];
  for (const pair of field.split(";")) {
    if (nameOf(pair) !== name) continue;
    values.push(pair.slice(pair.indexOf("=") + 1).trim());
  }
  return values;
}

/** The names in a Cookie field that start with `prefix`, each once. */
export function cookieNames(field: string, prefix: string): string[] {
  return [...cookiesByName(field, prefix).keys()];
}

/** The values of every cookie whose name starts with `prefix`, in one pass over the field. */
export function cookiesByName(
  field: string,
  prefix: string,
): Map<string, string[]> {
  const cookies = new Map<string, string[]>();
  for (const pair of field.split(";")) {
    const name = nameOf(pair);
    if (!name.startsWith(prefix)) continue;
    const value = pair.slice(pair.indexOf("=") + 1).trim();
    const values = cookies.get(name);
    if (values === undefined) cookies.set(name, [value]);
    else values.push(value);
  }
  return cookies;
}

/** The Cookie field without the gateway's cookies, or undefined where nothing is left of it. */
export function withoutOwnCookies(field: string): string | undefined {
  const pairs = field.split(";");
  const kept = pairs.filter((pair) => !isOwnCookieName(nameOf(pair)));
  if (kept.length === pairs.length) return field;
  const rest = kept.join(";");
  return rest.trim() === "" ? undefined : rest.replace(/^ /, "");
}
