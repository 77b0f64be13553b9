const LOOPBACK = /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?:[:/]|$)/i;

/** True if a URL is plain http within this machine. @example `isLoopbackHttp("http://localhost.example.com/")` is false */
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
