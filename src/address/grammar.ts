/**
 * The grammars of ids, labels, ports and credentials, which confine a request to its sandbox. Nothing else becomes part
 * of an address or of an API call: as a path segment, `../../<id>/public` would name another operation.
 */
import { jwtPart } from "../lib/jwt.ts";

/** The id of a sandbox or snapshot, or a signed preview token, as the source of a regular expression. */
export const SANDBOX_REF = "[A-Za-z0-9_-]{1,64}";

/** As much of that as fits into a label of a host name behind a port (RFC 1035 section 2.3.4), in lower case. */
export const LABEL = "[a-z0-9_-]{1,57}";

const WHOLE_REF = new RegExp(`^${SANDBOX_REF}$`);

/** True if the text can be the id of a sandbox or snapshot, or a signed preview token. */
export function isSandboxRef(text: string): boolean {
  return WHOLE_REF.test(text);
}

/** True if a host label may be a signed preview token, as Daytona's look; the id of a sandbox, a UUID, never does. */
export function mayBeSignedToken(label: string): boolean {
  return /^[a-z0-9]{16}$/.test(label);
}

/** A label as it may be logged; undefined if it may be a signed token, or there is none. */
export function loggedLabel(label: string): string | undefined {
  return label === "" || mayBeSignedToken(label) ? undefined : label;
}

/** True if the text can be the preview token of a sandbox. */
export function mayBePreviewToken(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,256}$/.test(text);
}

/** True if the text can be sent as a bearer credential: visible ASCII, at most 8 KiB. */
export function isBearer(text: string): boolean {
  return /^[\x21-\x7e]{1,8192}$/.test(text);
}

/** True if a bearer looks like a JWT (RFC 7519 section 3), as no API key does: its first part of three is JSON. */
export function isJwtShaped(bearer: string): boolean {
  return jwtPart(bearer, "header") !== undefined;
}

/** Whose a JWT says that it is (RFC 7519 section 4.1.1), which nobody has verified; undefined if it does not say so. */
export function issuerOf(jwt: string): string | undefined {
  const issuer = jwtPart(jwt, "claims")?.["iss"];
  return typeof issuer === "string" ? issuer : undefined;
}

/** When a JWT says that it ends (RFC 7519 section 4.1.4), ms since the epoch; undefined for another bearer. */
export function endOf(bearer: string): number | undefined {
  const end = jwtPart(bearer, "claims")?.["exp"];
  return typeof end === "number" ? end * 1000 : undefined;
}

/** True if the text is a UUID (RFC 9562 section 4), in upper or lower case. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

/** What a request calls a sandbox, as it is known by: an id may be sent in capitals. */
export function canonicalRef(sandbox: string): string {
  return isUuid(sandbox) ? sandbox.toLowerCase() : sandbox;
}

/** True if the number is a TCP port, 1 to 65535. */
export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

/** The port of the daemon in every sandbox, which runs commands and reads and writes files. */
export const TOOLBOX_PORT = 2280;

/** True if a port is the toolbox's, the web terminal's or the recording dashboard's, which are never public. */
export function isAlwaysPrivate(port: number): boolean {
  return port === TOOLBOX_PORT || port === 22222 || port === 33333;
}
