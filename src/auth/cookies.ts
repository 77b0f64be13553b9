/**
 * The Cookie field (RFC 6265bis section 5.8) as text: ours are read and taken out, the app's stay byte for byte. A
 * parser that decodes and re-encodes would break an app whose cookies are not quite to the letter.
 */

/** The session cookie's name before a security prefix is put in front of it. */
const SESSION_COOKIE = "porthole-session";

/** Names that belong to the gateway: our own, and those that Daytona's proxy may have left in a browser. */
const OWN_NAME =
  /^(?:__host-|__secure-)?(?:porthole-.*|daytona-sandbox-auth-.*|daytona-preview-page-accepted)$/i;

/** Whether a cookie name is reserved for the gateway, whatever its security prefix. */
export function isOwnCookieName(name: string): boolean {
  return OWN_NAME.test(name);
}

/** The session cookie's name: `__Host-` binds it to one host, but only exists over https (RFC 6265bis 4.1.3.2). */
export function sessionCookieName(scheme: "http" | "https"): string {
  return scheme === "https" ? `__Host-${SESSION_COOKIE}` : SESSION_COOKIE;
}

function nameOf(pair: string): string {
  const equals = pair.indexOf("=");
  return (equals < 0 ? pair : pair.slice(0, equals)).trim();
}

/** Every value of the cookie `name`: an app may have planted a second one, so the first is not the only one. */
export function cookieValues(field: string, name: string): string[] {
  return field.split(";")
    .filter((pair) => nameOf(pair) === name)
    .map((pair) => pair.slice(pair.indexOf("=") + 1).trim());
}

/** The Cookie field without the gateway's cookies, or undefined where nothing is left of it. */
export function withoutOwnCookies(field: string): string | undefined {
  const pairs = field.split(";");
  const kept = pairs.filter((pair) => !isOwnCookieName(nameOf(pair)));
  if (kept.length === pairs.length) return field;
  const rest = kept.join(";");
  return rest.trim() === "" ? undefined : rest.replace(/^ /, "");
}

/** Builds a host-only Set-Cookie line that scripts cannot read; `maxAgeSec` in seconds. */
export function hostOnlyCookie(
  value: string,
  options: { scheme: "http" | "https"; maxAgeSec: number },
): string {
  const secure = options.scheme === "https" ? "; Secure" : "";
  return `${
    sessionCookieName(options.scheme)
  }=${value}; Path=/; Max-Age=${options.maxAgeSec}; HttpOnly; SameSite=Lax${secure}`;
}
