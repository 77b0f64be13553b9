/** The page of a share link: one for all, so that it tells nobody anything, not even whether there is such a share. */
import main from "../../../gen/text/features/shares/share_page.html.ts";
import { page, PLAIN_POLICY } from "../../pages/page.ts";
import { OWN_ANSWER_HEADERS } from "../../pages/problem.ts";

const HEADERS = {
  ...OWN_ANSWER_HEADERS,
  "content-type": "text/html; charset=utf-8",
  "content-security-policy":
    `${PLAIN_POLICY}; form-action 'none'; frame-ancestors 'none'; connect-src 'self'`,
  "x-robots-tag": "noindex",
};

/** The page. */
export function sharePage(): Response {
  return new Response(page("A shared preview", main), { headers: HEADERS });
}
