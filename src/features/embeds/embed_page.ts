/** The page that becomes a preview in a frame: without content, so that any page may frame it and anybody see it. */
import main from "../../../gen/text/features/embeds/embed_page.html.ts";
import script from "../../../gen/text/features/embeds/embed_page.js.ts";
import { page, PLAIN_POLICY } from "../../pages/page.ts";
import { IN_ISOLATED_FRAMES, OWN_ANSWER_HEADERS } from "../../pages/problem.ts";
import { pageScript, withScripts } from "../../pages/script.ts";

const EMBED = pageScript(script);

/** Its headers: it may run its own script and ask this host. */
export const EMBED_HEADERS = {
  ...OWN_ANSWER_HEADERS,
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": withScripts(
    `${PLAIN_POLICY}; form-action 'none'; connect-src 'self'`,
    [EMBED],
  ),
  ...IN_ISOLATED_FRAMES,
};

/** The page as an HTML document. */
export const EMBED_PAGE = page(
  "Opening a preview",
  `${main}<script>${EMBED.text}</script>`,
);
