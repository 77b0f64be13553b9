/** Redirects of our own, which, like all our responses, are never stored. */
import { OWN_ANSWER_HEADERS } from "./problem.ts";

/** Redirects a client to `location` (RFC 9110 section 15.4), which sees a Referer as far as the policy says. */
export function redirect(
  status: 302 | 303,
  location: string,
  setCookies: readonly string[] = [],
  referrerPolicy: "no-referrer" | "strict-origin" = "no-referrer",
): Response {
  const headers = new Headers({
    ...OWN_ANSWER_HEADERS,
    "referrer-policy": referrerPolicy,
    location,
  });
  for (const value of setCookies) headers.append("set-cookie", value);
  return new Response(null, { status, headers });
}
