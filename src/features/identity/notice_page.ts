/** What a visitor is asked: whether an app may be told what it asks for. */
import main from "../../../gen/text/features/identity/notice_page.html.ts";
import { previewAuthority } from "../../address/preview_host.ts";
import type { ReturnUrl } from "../../address/return_url.ts";
import { FRAGMENT_KEEPER, KEEP_FRAGMENT } from "../../pages/fragment.ts";
import { escapeHtml, filled } from "../../pages/html.ts";
import { BASE_POLICY, page } from "../../pages/page.ts";
import { OWN_ANSWER_HEADERS } from "../../pages/problem.ts";
import { pageScript, withScripts } from "../../pages/script.ts";
import type { Claims } from "./claims.ts";

/** Has buttons wait for a second once the page is in front: who opens it in a window may put it below a second click. */
const PATIENCE = pageScript(`(onfocus = () => {
  for (const button of document.querySelectorAll("button")) {
    button.disabled = true;
    setTimeout(() => button.disabled = false, 1000);
  }
})()`);

/** Headers of the page. */
export const NOTICE_HEADERS = {
  ...OWN_ANSWER_HEADERS,
  // It has no `form-action`, which also applies to the redirects that follow the form: those of the app.
  "content-security-policy": withScripts(
    `${BASE_POLICY}; frame-ancestors 'none'`,
    [KEEP_FRAGMENT, PATIENCE],
  ),
  // With no-referrer a browser would send the form with `Origin: null`.
  "referrer-policy": "same-origin",
  // Whoever opens the page in a window must not put another one in its place below a visitor's click.
  "cross-origin-opener-policy": "same-origin",
};

/** Renders the page as an HTML document; its form is sent to its own address. */
export function noticePage({ returnTo, sandboxId, claims }: {
  readonly returnTo: Pick<ReturnUrl, "host">;
  readonly sandboxId: string;
  readonly claims: Claims;
}): string {
  const host = previewAuthority(returnTo.host);
  const told = Object.entries(claims).map(([name, value]) =>
    `<li>${name}: ${escapeHtml([value].flat().join(", "))}</li>`
  );
  const shown = filled(main, {
    host: escapeHtml(host),
    sandbox: escapeHtml(sandboxId),
    claims: told.join(""),
  });
  const scripts = `${FRAGMENT_KEEPER}\n<script>${PATIENCE.text}</script>`;
  return page(`Tell ${host} who you are?`, shown + scripts);
}
