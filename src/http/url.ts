/** Properties of URLs that are compared as text. */

const LOOPBACK = /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?:[:/]|$)/i;

/**
 * True if a URL is plain http within this machine, which nobody else can read.
 *
 * @example
 * ```ts
 * isLoopbackHttp("http://127.0.0.1:8080/"); // true
 * isLoopbackHttp("http://localhost.example.com/"); // false
 * ```
 */
export function isLoopbackHttp(url: string): boolean {
  return LOOPBACK.test(url);
}

/** True if a URL is plain http to another machine: any machine in between can read and change it. */
export function isExposedHttp(url: string): boolean {
  return /^http:/i.test(url) && !isLoopbackHttp(url);
}

/** The text without its trailing slashes. A plain `/\/+$/` would retry from every slash of a run: quadratic time. */
export function withoutTrailingSlashes(text: string): string {
  return text.replace(/(?<!\/)\/+$/, "");
}
