/** Redirects of our own, which, like all our responses, are never stored. */
import { OWN_ANSWER_HEADERS } from "./problem.ts";

/**
 * The response that redirects a client to `location` (RFC 9110 section 15.4), with a Set-Cookie header for each value.
 * The next request has a Referer only as far as the policy says.
 */
export function redirect(
  status: 302 | 303,
  location: string,
  setCookies: readonly string[] = [],
  referrerPolicy: "no-referrer" | "strict-origin" = "no-referrer",
): Response {
  return new Response(null, {
    status,
    headers: [
      ...Object.entries({
        ...OWN_ANSWER_HEADERS,
        "referrer-policy": referrerPolicy,
      }),
      ["location", location],
      ...setCookies.map((value): [string, string] => ["set-cookie", value]),
    ],
  });
}
