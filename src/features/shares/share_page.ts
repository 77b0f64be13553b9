/** The page of a share link: one for all, so that it tells nobody anything, not even whether there is such a share. */
import main from "../../../gen/text/features/shares/share_page.html.ts";
import script from "../../../gen/text/features/shares/share_page.js.ts";
import { page, PLAIN_POLICY } from "../../pages/page.ts";
import { OWN_ANSWER_HEADERS } from "../../pages/problem.ts";
import { pageScript, withScripts } from "../../pages/script.ts";

const SHARE = pageScript(script);

const HTML = page(
  "A shared preview",
  `${main}<script>${SHARE.text}</script>`,
);

/** What it may do: run its own script, ask this host, and be in no frame. */
const HEADERS = {
  ...OWN_ANSWER_HEADERS,
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": withScripts(
    `${PLAIN_POLICY}; form-action 'none'; frame-ancestors 'none'; connect-src 'self'`,
    [SHARE],
  ),
  "x-robots-tag": "noindex",
};

/** The page. */
export function sharePage(): Response {
  return new Response(HTML, { headers: HEADERS });
}
