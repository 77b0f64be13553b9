const LOOPBACK = /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?:[:/]|$)/i;

/** True if a URL is plain http within this machine. @example `isLoopbackHttp("http://localhost.example.com/")` is false */
export function isLoopbackHttp(url: string): boolean {
  return LOOPBACK.test(url);
}

/** True if a URL is plain http to another machine: any machine in between can read and change it. */
export function isExposedHttp(url: string): boolean {
  return /^http:/i.test(url) && !isLoopbackHttp(url);
}

/** The name of a host as a policy may have it; `;`, `,`, `'` and `*`, which a URL may have, mean something there. */
const NAME =
  /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.(?!$)|$))+$/;

/** Longest name of a host, characters (RFC 1035 section 2.3.4). */
const MAX_NAME_LENGTH = 253;

/**
 * True if a text is the origin of a page exactly as browsers tell it (RFC 6454 section 6.2): of https, or for development
 * of http at a port of localhost, or of a name below that.
 */
export function isPageOrigin(text: string): boolean {
  const { origin, protocol, hostname, port } = URL.parse(text) ?? {};
  if (origin !== text || hostname === undefined || port === "0") return false;
  if (!NAME.test(hostname) || hostname.length > MAX_NAME_LENGTH) return false;
  return protocol === "https:" ||
    protocol === "http:" && port !== "" && /(?:^|\.)localhost$/.test(hostname);
}

/** The text without its trailing slashes. A plain `/\/+$/` would retry from every slash of a run: quadratic time. */
export function withoutTrailingSlashes(text: string): string {
  return text.replace(/(?<!\/)\/+$/, "");
}
