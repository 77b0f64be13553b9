/** Redirects of our own, which, like all our responses, are never stored. */
import { OWN_ANSWER_HEADERS } from "./problem.ts";

/**
 * The response that redirects a client to `location` (RFC 9110 section 15.4), with a Set-Cookie header for each value.
 */
export function redirect(
  status: 302 | 303,
  location: string,
  setCookies: readonly string[] = [],
): Response {
  return new Response(null, {
    status,
    headers: [
      ...Object.entries(OWN_ANSWER_HEADERS),
      ["location", location],
      ...setCookies.map((value): [string, string] => ["set-cookie", value]),
    ],
  });
}
