/** Redirects of ours, which like all our answers are never stored. */
import { OWN_ANSWER_FIELDS } from "./problem.ts";

/** The response that sends a client to `location`, with any Set-Cookie lines (RFC 9110 section 15.4). */
export function redirect(
  status: 302 | 303,
  location: string,
  setCookies: readonly string[] = [],
): Response {
  return new Response(null, {
    status,
    headers: [
      ...Object.entries(OWN_ANSWER_FIELDS),
      ["location", location],
      ...setCookies.map((line): [string, string] => ["set-cookie", line]),
    ],
  });
}
