/** The credentials that a request presents, as plain data, in the order in which they are tried. */
import { isAlwaysPrivate } from "../address/grammar.ts";
import {
  portOfSandboxOrigin,
  type PreviewHost,
  previewOrigin,
} from "../address/preview_host.ts";
import { type SentCookie, sentOwnCookies } from "../http/cookies.ts";
import {
  isAheadOfTime,
  isFramed,
  isNavigation,
  senderSite,
} from "../http/fetch_metadata.ts";
import type { RequestHeaders } from "../http/headers.ts";
import type { FileUrlSplit } from "./file_url.ts";
import type { PresentedGrant } from "./grants.ts";
import type { OwnCookies } from "./own_cookies.ts";

/** One credential of a request. A signed token is not among them: it is the host label itself. */
export type Credential =
  /** `X-Daytona-Preview-Token`: the sandbox's own token. */
  | { readonly kind: "preview_token"; readonly token: string }
  /** `DAYTONA_SANDBOX_AUTH_KEY`, a query parameter: the sandbox's own token, too. */
  | { readonly kind: "auth_key"; readonly token: string }
  /** A signed URL of a file: only the toolbox has those. */
  | {
    readonly kind: "signed_url";
    readonly signature: NonNullable<FileUrlSplit["signature"]>;
  }
  /** A grant, by its secret. */
  | { readonly kind: "grant" } & PresentedGrant
  /** A session that this gateway sealed. */
  | {
    readonly kind: "session";
    readonly sealed: string;
    /** The page of another origin whose frame asks, by its origin: only a grant that is for its frames counts. */
    readonly framedBy?: string;
  }
  /** An API key or JWT (RFC 6750 section 2.1). It comes last, since it may be meant for the app. */
  | { readonly kind: "bearer"; readonly token: string };

/** The parts of a request that credentials are read from. */
export interface CredentialSource {
  readonly method: string;
  readonly headers: RequestHeaders;
  readonly host: Omit<PreviewHost, "base">;
  readonly scheme: "http" | "https";
  readonly cookies: OwnCookies;
  /** The preview token in the query, from {@linkcode splitPreviewToken}. */
  readonly queryToken: string | undefined;
  /** The secret of a grant in the query, from {@linkcode splitGrant}. */
  readonly queryGrant?: string | undefined;
  /** Origins, besides the sandbox's own, whose pages may use its sessions. */
  readonly allowedOrigins: ReadonlySet<string>;
}

/**
 * Most session cookies of one name that are tried, from the end of the header: ours, at `/`, are among the last. A page of
 * another sandbox can plant more of them at longer paths, which browsers send first (RFC 6265bis section 5.8.3).
 */
export const MAX_SESSION_COOKIES = 8;

const BEARER = /^bearer +([\x21-\x7e]+) *$/i;

/** The credentials of a request, in order of precedence. */
export function presentedCredentials(source: CredentialSource): Credential[] {
  const credentials = previewTokens(source);
  credentials.push(...presentedGrants(source));
  addSessions(credentials, source);
  return withBearer(credentials, source);
}

/** The grants of a request; a bearer that is one is known to the gate. */
export function presentedGrants(
  { headers, queryGrant }: Pick<CredentialSource, "headers" | "queryGrant">,
): Credential[] {
  const credentials: Credential[] = [];
  const secret = headers.get("x-porthole-token");
  if (secret !== null) {
    credentials.push({ kind: "grant", secret, place: "header" });
  }
  if (queryGrant !== undefined) {
    credentials.push({ kind: "grant", secret: queryGrant, place: "query" });
  }
  return credentials;
}

/** Credentials for the toolbox, which runs commands: a page can make a browser attach sessions, so none counts. */
export function toolboxCredentials(
  source: Pick<CredentialSource, "headers" | "queryToken"> & {
    readonly urlSignature: FileUrlSplit["signature"];
  },
): Credential[] {
  const credentials = previewTokens(source);
  const { urlSignature: signature } = source;
  if (signature !== undefined) {
    credentials.push({ kind: "signed_url", signature });
  }
  return withBearer(credentials, source);
}

function previewTokens(
  { headers, queryToken }: Pick<CredentialSource, "headers" | "queryToken">,
): Credential[] {
  const credentials: Credential[] = [];
  const token = headers.get("x-daytona-preview-token");
  if (token !== null) credentials.push({ kind: "preview_token", token });
  if (queryToken !== undefined) {
    credentials.push({ kind: "auth_key", token: queryToken });
  }
  return credentials;
}

function withBearer(
  credentials: Credential[],
  { headers }: Pick<CredentialSource, "headers">,
): Credential[] {
  const token = bearerOf(headers);
  if (token !== undefined) credentials.push({ kind: "bearer", token });
  return credentials;
}

/** Adds the sessions in a request's cookies: all if it may use them, and those of grants if another page frames it. */
function addSessions(
  credentials: Credential[],
  source: CredentialSource,
): void {
  const cookie = source.headers.get("cookie");
  if (cookie === null) return;
  const own = sentOwnCookies(cookie);
  if (own.length === 0) return;
  const { cookies } = source;
  const granted = grantSessionsAmong(own, cookies);
  const sessions = lastValues(own, cookies.previewTokenSession);
  // The name of a login's cookie is a digest of the host, which most requests need not be searched for.
  const mark = cookies.loginMarkOn(source.host);
  if (own.some((sent) => sent[0].startsWith(mark))) {
    sessions.push(...lastValues(own, cookies.loginOn(source.host)));
  }
  // What opens more comes first, but in a frame what says whose frame it may be, for all that its pages load: no request
  // tells that from what the pages of a tab load.
  const destination = source.headers.get("sec-fetch-dest") ?? "document";
  if (destination !== "document") sessions.unshift(...granted);
  else sessions.push(...granted);
  if (sessions.length === 0) return;
  if (mayUseSessions(source)) {
    for (const sealed of sessions) {
      credentials.push({ kind: "session", sealed });
    }
    return;
  }
  const framedBy = framingOrigin(source);
  if (framedBy === undefined) return;
  for (const sealed of granted) {
    credentials.push({ kind: "session", sealed, framedBy });
  }
}

/** Separates sessions in one cookie: frames of two embeds share one where both show the same port. */
export const SESSION_SEPARATOR = "~";

/** The sealed sessions of grants in a Cookie header; of those in one cookie, the latest first. */
export function grantSessionsIn(
  cookie: string,
  { grantSession }: Pick<OwnCookies, "grantSession">,
): string[] {
  return grantSessionsAmong(sentOwnCookies(cookie), { grantSession });
}

function grantSessionsAmong(
  own: readonly SentCookie[],
  { grantSession }: Pick<OwnCookies, "grantSession">,
): string[] {
  return lastValues(own, grantSession)
    .flatMap((value) => value.split(SESSION_SEPARATOR))
    .slice(-MAX_SESSION_COOKIES);
}

/** The origin of the page that frames what is asked for, as its Referer says; undefined if none does, or it hides. */
function framingOrigin(
  { method, headers }: CredentialSource,
): string | undefined {
  if (!isNavigation(method, headers) || !isFramed(headers)) return undefined;
  return originOf(headers.get("referer") ?? "") || undefined;
}

function lastValues(own: readonly SentCookie[], name: string): string[] {
  const values: string[] = [];
  // By index, as these come with every request: taking them apart goes through an iterator.
  for (const sent of own) if (sent[0] === name) values.push(sent[1]);
  return values.slice(-MAX_SESSION_COOKIES);
}

/** The bearer token of a request (RFC 6750 section 2.1); undefined if it has none. */
export function bearerOf(headers: RequestHeaders): string | undefined {
  return BEARER.exec(headers.get("authorization") ?? "")?.[1];
}

/**
 * True if a request may use the session cookies that it carries: only if it was sent by a page of the same sandbox or
 * of an allowed origin, by the user's navigation (a link, a typed address), or by a client that is not a browser.
 * Sandboxes are same-site to each other, so SameSite alone would let one sandbox's page act on another.
 *
 * A page that frames another one has its visitor type and click in it, so a frame is no navigation of the user's: the
 * page around it must be one that may use the sessions, and must say so by its Referer. So must the page that has its
 * browser prefetch what it links: nobody has followed that yet.
 */
export function mayUseSessions(
  source: Omit<CredentialSource, "cookies" | "queryToken">,
): boolean {
  const { method, headers } = source;
  const site = senderSite(headers);
  // Before Origin, which is `null` on a page's own form under `Referrer-Policy: no-referrer`.
  if (site === "same-origin" || site === "none") return true;
  const origin = headers.get("origin");
  if (origin !== null) return isTrustedOrigin(origin, source);
  const isAhead = isAheadOfTime(headers);
  if (isNavigation(method, headers) && !isFramed(headers) && !isAhead) {
    return true;
  }
  // A frame or a no-cors request (an image, a script) has no Origin, but usually a Referer. Over plain http browsers
  // send no Fetch Metadata either; a request without all of them is taken for a client that is not a browser.
  const referer = headers.get("referer");
  return referer === null
    ? site === null && !isAhead
    : isTrustedOrigin(originOf(referer), source);
}

/** Whether a request carries sessions, and may use them. */
export function carriedSessions(
  source: Omit<CredentialSource, "queryToken">,
): "none" | "usable" | "unusable" {
  const { headers, host, cookies } = source;
  const names = [
    cookies.previewTokenSession,
    cookies.loginOn(host),
    cookies.grantSession,
  ];
  const own = sentOwnCookies(headers.get("cookie") ?? "");
  if (!own.some(([name]) => names.includes(name))) return "none";
  return mayUseSessions(source) ? "usable" : "unusable";
}

/** The origin of a Referer; empty if it has none. */
export function originOf(url: string): string {
  return /^[a-z]+:\/\/[^/?#]*/i.exec(url)?.[0] ?? "";
}

/**
 * True if pages of `origin` may use sessions: the sandbox's own, on any port, and those on the allow-list. Daytona's own
 * services, such as the terminal, are not for whatever apps the sandbox runs: there, only pages of the same port count.
 */
export function isTrustedOrigin(
  origin: string,
  { host, scheme, allowedOrigins }: Pick<
    CredentialSource,
    "host" | "scheme" | "allowedOrigins"
  >,
): boolean {
  if (allowedOrigins.has(origin)) return true;
  return isAlwaysPrivate(host.port)
    ? origin === previewOrigin(host, scheme)
    : portOfSandboxOrigin(origin, host, scheme) !== undefined;
}
