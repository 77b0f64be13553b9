/** The intent of a request, by its headers (W3C Fetch Metadata; Accept, RFC 9110 section 12.5.1). */
import type { RequestHeaders } from "./headers.ts";

const HTML = /\btext\/html\b/i;

/** True if a browser, with Fetch Metadata or without, is going to show the response as a document: errors are pages then. */
export function wantsDocument(headers: RequestHeaders): boolean {
  const mode = headers.get("sec-fetch-mode");
  if (mode !== null) return mode === "navigate";
  return HTML.test(headers.get("accept") ?? "");
}

/** True if the request is a navigation that follows a link or a typed address, rather than submits a form. */
export function isNavigation(method: string, headers: RequestHeaders): boolean {
  return (method === "GET" || method === "HEAD") && wantsDocument(headers);
}

/** True if the response may redirect: a navigation, or a client that accepts anything, as a plain `curl`; no script. */
export function mayRedirect(method: string, headers: RequestHeaders): boolean {
  if (method !== "GET" && method !== "HEAD") return false;
  if (headers.has("sec-fetch-mode")) return isNavigation(method, headers);
  const accept = headers.get("accept");
  return accept === null || accept.trim() === "*/*" || HTML.test(accept);
}

/**
 * True if the request comes from a page of `origin` (lower case) or directly from the user, as a typed address does;
 * false if Sec-Fetch-Site or Origin says otherwise, undefined if it has neither header. Beside Sec-Fetch-Site, `Origin:
 * null` says nothing: a page with `Referrer-Policy: no-referrer` sends it to its own origin as well (Fetch Standard,
 * "append a request `Origin` header").
 */
export function isSameOriginRequest(
  headers: RequestHeaders,
  origin: string,
): boolean | undefined {
  const site = senderSite(headers);
  const sender = headers.get("origin");
  if (site === null) return sender === null ? undefined : sender === origin;
  return (site === "same-origin" || site === "none") &&
    (sender === null || sender === "null" || sender === origin);
}

/** Destinations within a page, each of which has a document of its own (Fetch standard, section 2.2.5). */
const FRAME = /^(?:iframe|frame|object|embed|fencedframe)$/;

/** True if a page is going to show the response within itself. */
export function isFramed(headers: RequestHeaders): boolean {
  return FRAME.test(headers.get("sec-fetch-dest") ?? "");
}

/** True if a browser is going to show the response in a window or tab of its own. */
export function isWindow(headers: RequestHeaders): boolean {
  return headers.get("sec-fetch-dest") === "document";
}

/** Headers of requests that nobody has made yet: Sec-Purpose, and what browsers and programs sent before that. */
const AHEAD_OF_TIME = ["sec-purpose", "purpose", "x-purpose", "x-moz"] as const;

/** True if a browser or program asks for what its user may open later: a prefetch or a prerender. */
export function isAheadOfTime(headers: RequestHeaders): boolean {
  return AHEAD_OF_TIME.some((name) => headers.has(name));
}

/**
 * Sec-Fetch-Site; null if there is none. `none` is the user's own doing, but not ahead of time: Chromium 156 sends that for
 * whatever the speculation rules of any page name, with the cookies of hosts that are same-site to the page.
 */
export function senderSite(headers: RequestHeaders): string | null {
  const site = headers.get("sec-fetch-site");
  return site === "none" && isAheadOfTime(headers) ? "cross-site" : site;
}

/**
 * True if a page of another origin sent the request, rather than opened a window with it, as links do too; false if no
 * browser did, or an old one. What is asked for ahead of time, any page may have caused, whatever it looks like.
 */
export function isSentByPage(headers: RequestHeaders): boolean {
  if (isAheadOfTime(headers)) return true;
  const site = headers.get("sec-fetch-site");
  return (site === "cross-site" || site === "same-site") &&
    (headers.get("sec-fetch-mode") !== "navigate" || isFramed(headers));
}
