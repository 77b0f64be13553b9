/** True for a code that a Close may carry (RFC 6455 section 7.4): not 1006, which stands for a connection that broke. */
export function isCloseCode(code: number): boolean {
  if (code >= 3000) return code < 5000;
  return code >= 1000 && code <= 1014 && (code < 1004 || code > 1006);
}
