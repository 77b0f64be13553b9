/**
 * Deno 2.9.6, HTTP/2: if the client cancels its stream (RST_STREAM with NO_ERROR or CANCEL, RFC 9113 section 8.1), the
 * request's body ends as if it were complete; the request's signal aborts right after that. No upstream issue is known.
 *
 * Instead, the end of such a body counts only if the signal does not follow: a cut body must not look complete.
 */

/** True if a body that has just ended was cancelled by the client, given the signal of its request. */
export { hasDisconnected as wasCancelled } from "./client_disconnected.ts";
