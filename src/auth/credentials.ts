/** Which credentials a request carries, as plain data, in the order in which they are tried. */
import type { Fields } from "../lib/fields.ts";
import {
  isSameSandboxOrigin,
  type PreviewHost,
} from "../address/preview_host.ts";
import { isNavigation } from "../lib/fetch_metadata.ts";
import { cookieValues } from "./cookies.ts";
import type { OwnCookies } from "./own_cookies.ts";

/** One thing that a caller presents. The signed token is not among them: it is the host label itself. */
export type Credential =
  /** `X-Daytona-Preview-Token`: the sandbox's own token. */
  | { readonly kind: "preview_token"; readonly token: string }
  /** The same token as the `DAYTONA_SANDBOX_AUTH_KEY` query parameter. */
  | { readonly kind: "auth_key"; readonly token: string }
  /** A session that this gateway sealed. */
  | { readonly kind: "session"; readonly sealed: string }
  /** An API key or JWT (RFC 6750 section 2.1); it may also be meant for the app, so it comes last. */
  | { readonly kind: "bearer"; readonly token: string };

/** What {@linkcode presentedCredentials} looks at. */
export interface CredentialSource {
  readonly method: string;
  readonly headers: Fields;
  readonly host: Pick<PreviewHost, "label" | "authoritySuffix">;
  readonly scheme: "http" | "https";
  readonly cookies: Pick<
    OwnCookies,
    "keySession" | "loginSession" | "loginSessionPrefix"
  >;
  /** From {@linkcode splitAuthKey}. */
  readonly authKey: string | undefined;
  /** Origins besides the sandbox's own that may use its sessions. */
  readonly allowedOrigins: ReadonlySet<string>;
}

/**
 * How many session cookies of one name are looked at. A page of another sandbox can plant more of them, at longer paths
 * to have them sent first (RFC 6265bis section 5.8.3), which must not lock the owner of the real one out: ours, at `/`,
 * are always among the last.
 */
export const MAX_SESSION_COOKIES = 8;

const BEARER = /^bearer +([\x21-\x7e]+) *$/i;

/** The credentials of a request in the order of precedence. */
export function presentedCredentials(source: CredentialSource): Credential[] {
  const { headers } = source;
  const credentials = previewTokens(source);
  for (const sealed of presentedSessions(source)) {
    credentials.push({ kind: "session", sealed });
  }
  const bearer = bearerOf(headers);
  if (bearer !== undefined) credentials.push({ kind: "bearer", token: bearer });
  return credentials;
}

const NONE: readonly string[] = [];

/** The session cookies of a request, where they count. */
function presentedSessions(source: CredentialSource): readonly string[] {
  const cookie = source.headers.get("cookie");
  if (cookie === null) return NONE;
  const { keySession, loginSession, loginSessionPrefix } = source.cookies;
  // Most requests have one of them at most, and then the other need not be looked for pair by pair.
  const byKey = cookie.includes(keySession)
    ? lastValues(cookie, keySession)
    : NONE;
  const byLogin = cookie.includes(loginSessionPrefix)
    ? lastValues(cookie, loginSession(source.host.label))
    : NONE;
  const sessions = [...byKey, ...byLogin];
  return sessions.length > 0 && cookiesCount(source) ? sessions : NONE;
}

function lastValues(cookie: string, name: string): readonly string[] {
  return cookieValues(cookie, name).slice(-MAX_SESSION_COOKIES);
}

/**
 * The same for the toolbox, where a session never counts: a browser would send it along with whatever any page makes
 * it ask for, and the toolbox runs commands.
 */
export function toolboxCredentials(
  source: Pick<CredentialSource, "headers" | "authKey">,
): Credential[] {
  const credentials = previewTokens(source);
  const bearer = bearerOf(source.headers);
  if (bearer !== undefined) credentials.push({ kind: "bearer", token: bearer });
  return credentials;
}

function previewTokens(
  { headers, authKey }: Pick<CredentialSource, "headers" | "authKey">,
): Credential[] {
  const credentials: Credential[] = [];
  const token = headers.get("x-daytona-preview-token");
  if (token !== null) credentials.push({ kind: "preview_token", token });
  if (authKey !== undefined) {
    credentials.push({ kind: "auth_key", token: authKey });
  }
  return credentials;
}

/** The bearer credential of a request, without its scheme; undefined where it has none (RFC 6750 section 2.1). */
export function bearerOf(headers: Fields): string | undefined {
  return BEARER.exec(headers.get("authorization") ?? "")?.[1];
}

/** What {@linkcode cookiesCount} looks at. */
export type RequestOrigin = Pick<
  CredentialSource,
  "method" | "headers" | "host" | "scheme" | "allowedOrigins"
>;

/**
 * Whether a session cookie counts on this request: only where it was sent by a page of the same sandbox, by the
 * user's own navigation, or by something that is no browser. Sandboxes are same-site to each other, so SameSite
 * alone would let one sandbox's page act on another.
 */
export function cookiesCount(
  source: RequestOrigin,
): boolean {
  const { method, headers } = source;
  const site = headers.get("sec-fetch-site");
  // Also where a page's Referrer-Policy makes its own form's Origin `null`.
  if (site === "same-origin" || site === "none") return true;
  const origin = headers.get("origin");
  if (origin !== null) return isTrustedOrigin(origin, source);
  if (isNavigation(method, headers)) return true;
  // A no-cors request (an image, a script) has no Origin; its Referer, where the page sends one, tells the same. Over
  // plain http browsers send no Sec-Fetch-Site either, and without a Referer this looks like no browser at all.
  const referer = headers.get("referer");
  return referer === null
    ? site === null
    : isTrustedOrigin(originOf(referer), source);
}

function originOf(url: string): string {
  return /^[a-z]+:\/\/[^/?#]*/i.exec(url)?.[0] ?? "";
}

/** Whether pages of `origin` may act with a session: the sandbox's own, on any port, and those on the allow-list. */
export function isTrustedOrigin(
  origin: string,
  source: Pick<RequestOrigin, "host" | "scheme" | "allowedOrigins">,
): boolean {
  return source.allowedOrigins.has(origin) ||
    isSameSandboxOrigin(origin, source.host, source.scheme);
}
