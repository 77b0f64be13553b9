/** The page of what a sandbox's members have let others in by: its script asks the API for that, as its visitor. */
import script from "../../../gen/text/features/access_page/access.js.ts";
import main from "../../../gen/text/features/access_page/access_page.html.ts";
import { escapeHtml } from "../../pages/html.ts";
import { page, PLAIN_POLICY } from "../../pages/page.ts";
import { OWN_ANSWER_HEADERS } from "../../pages/problem.ts";
import { pageScript, withScripts } from "../../pages/script.ts";

const ACCESS = pageScript(script);

/** Headers of the page: it may run its own script, ask this gateway's API, and be in no frame. */
export const ACCESS_HEADERS = {
  ...OWN_ANSWER_HEADERS,
  "content-security-policy": withScripts(
    `${PLAIN_POLICY}; form-action 'none'; frame-ancestors 'none'; connect-src 'self'`,
    [ACCESS],
  ),
};

/** Renders the page about a sandbox as an HTML document. */
export function accessPageOf(sandbox: string): string {
  const name = escapeHtml(sandbox);
  return page(
    `Access to ${sandbox}`,
    `${main.replace("{name}", () => name)}<script>${ACCESS.text}</script>`,
    { wide: true },
  );
}
