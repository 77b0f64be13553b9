/** Where a browser is sent to log in. */
import { TOOLBOX_PORT } from "../address/grammar.ts";
import { previewOrigin } from "../address/preview_host.ts";
import { MAX_RETURN_URL_LENGTH } from "../address/return_url.ts";
import { isAheadOfTime, isNavigation } from "../http/fetch_metadata.ts";
import type { PreviewExchange } from "./preview_route.ts";

/** Destinations of windows (Fetch standard, section 2.2.5): `empty` if an app's service worker passes a navigation on. */
const WINDOWS: ReadonlySet<string> = new Set(["document", "empty"]);

/**
 * The URL of the login for a request that a person is waiting for, which leads back to it; undefined for any
 * other: a script, an image, a form or a WebSocket would get the provider's page instead of the response that it
 * expects. In a frame, the login would be the framing page's doing, and most providers refuse to be framed.
 */
export function loginRedirectLocation(
  { received: { method, headers }, route: { host, appTarget } }:
    PreviewExchange,
  scheme: "http" | "https",
): string | undefined {
  // The toolbox is for programs: nobody looks at its responses.
  if (!isNavigation(method, headers) || host.port === TOOLBOX_PORT) {
    return undefined;
  }
  // A prefetch that fails is dropped (HTML, "navigational prefetching"), and its visitor asks anew.
  if (isAheadOfTime(headers)) return undefined;
  const destination = headers.get("sec-fetch-dest");
  if (destination !== null && !WINDOWS.has(destination)) return undefined;
  const origin = previewOrigin(host, scheme);
  const url = origin + appTarget;
  const returnTo = url.length > MAX_RETURN_URL_LENGTH ? `${origin}/` : url;
  const parameter = encodeURIComponent(returnTo);
  return `${scheme}://${host.authoritySuffix}/login?return_to=${parameter}`;
}
