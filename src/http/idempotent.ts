const METHODS = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** True if a request with this method means the same however often it is sent (RFC 9110 section 9.2.2). */
export function isIdempotent(method: string): boolean {
  return METHODS.has(method);
}
