/**
 * The grammars of values that become part of an API call. A value that does not match never reaches the network: as a
 * path segment, `../../<id>/public` would name another operation, whose "yes" would be taken as the answer to ours.
 */

const AUTH_TOKEN = /^[A-Za-z0-9_-]{1,256}$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const VISIBLE_ASCII = /^[\x21-\x7e]{1,8192}$/;

/** Whether the text can be the preview token of a sandbox. */
export function isAuthToken(text: string): boolean {
  return AUTH_TOKEN.test(text);
}

/** Whether the text is a UUID (RFC 9562 section 4), in upper or lower case. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** Whether the text can be sent as a bearer credential: visible ASCII, at most 8 KiB. */
export function isBearer(text: string): boolean {
  return VISIBLE_ASCII.test(text);
}

/** Whether the number is a TCP port, 1 to 65535. */
export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}
