/** The owner's view: a page that shows the requests to a sandbox while it is open. Its script gets them by a stream. */
import curl from "../../../gen/text/features/inspect/curl.js.ts";
import css from "../../../gen/text/features/inspect/inspect.css.ts";
import script from "../../../gen/text/features/inspect/inspect.js.ts";
import main from "../../../gen/text/features/inspect/inspect_page.html.ts";
import type { Link } from "../../gateway/feature_module.ts";
import { escapeHtml, filled } from "../../pages/html.ts";
import { BASE_POLICY, page } from "../../pages/page.ts";
import { pageScript, withScripts } from "../../pages/script.ts";

const INSPECT = pageScript(curl + script);

/** Content-Security-Policy of the page: its own script, its own stream, nothing else, and in no frame. */
export const INSPECT_POLICY = withScripts(
  `${BASE_POLICY}; form-action 'none'; frame-ancestors 'none'; connect-src 'self'`,
  [INSPECT],
);

export function inspectPage(sandboxId: string, pages: readonly Link[]): string {
  const name = escapeHtml(sandboxId);
  const links = pages.map(({ url, text }) =>
    `<a href="${url + name}">${text}</a>`
  );
  return page(
    `Requests to ${sandboxId}`,
    `${filled(main, { name, links: links.join(" ") })}
<script>${INSPECT.text}</script>`,
    { head: `<style>${css}</style>`, mainClass: "inspect" },
  );
}
