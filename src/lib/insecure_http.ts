/** Which plain http nobody else can read. */
const LOOPBACK = /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?:[:/]|$)/i;

/** Whether a URL is plain http within this machine. */
export function isLoopbackHttp(url: string): boolean {
  return LOOPBACK.test(url);
}

/** Whether a URL is plain http to another machine: whoever is in between can read and change it. */
export function isExposedHttp(url: string): boolean {
  return /^http:/i.test(url) && !isLoopbackHttp(url);
}
