/** True for a method that changes nothing (RFC 9110 section 9.2.1). */
export function isSafe(method: string): boolean {
  return SAFE.test(method);
}

const SAFE = /^(?:GET|HEAD|OPTIONS)$/;
