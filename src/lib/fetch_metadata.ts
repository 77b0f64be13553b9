/** What a request's own headers say of its intent (W3C Fetch Metadata, RFC 9110 section 12.5.1). */
import type { Fields } from "./fields.ts";

function acceptsHtml(accept: string | null): boolean {
  return accept !== null && /\btext\/html\b/i.test(accept);
}

/** Whether a browser is about to show the answer as a document: then errors are pages. */
export function wantsDocument(headers: Fields): boolean {
  const mode = headers.get("sec-fetch-mode");
  return mode === null
    ? acceptsHtml(headers.get("accept"))
    : mode === "navigate";
}

/** Whether somebody follows a link or types an address, and sends no form. */
export function isNavigation(method: string, headers: Fields): boolean {
  return (method === "GET" || method === "HEAD") && wantsDocument(headers);
}

/**
 * Whether an answer may move the client to another URL of the same host: navigations, and clients that say nothing
 * of themselves and take anything (a plain `curl`). Scripts of a page and clients that ask for data are not moved.
 */
export function mayRedirect(method: string, headers: Fields): boolean {
  if (method !== "GET" && method !== "HEAD") return false;
  if (headers.has("sec-fetch-mode")) return isNavigation(method, headers);
  const accept = headers.get("accept");
  return accept === null || accept.trim() === "*/*" || acceptsHtml(accept);
}
