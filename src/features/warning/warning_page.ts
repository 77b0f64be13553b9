/** The page before a visitor's first look at a preview: a warning that it shows what somebody else runs. */
import main from "../../../gen/text/features/warning/warning_page.html.ts";
import { FRAGMENT_KEEPER, KEEP_FRAGMENT } from "../../pages/fragment.ts";
import { escapeHtml, filled } from "../../pages/html.ts";
import { BASE_POLICY, page } from "../../pages/page.ts";
import { withScripts } from "../../pages/script.ts";

export const ACCEPT_PATH = "/accept-daytona-preview-warning";

/** Name of the form field or query parameter with the URL to continue to. */
export const REDIRECT_FIELD = "redirect";

/**
 * Content-Security-Policy of the page. It has no `form-action`, which also applies to the redirects that follow the form,
 * maybe to a login at any provider; and no `frame-ancestors`, since previews may be embedded, and an acceptance in a frame
 * only counts below the embedding site.
 */
export const WARNING_POLICY = withScripts(BASE_POLICY, [KEEP_FRAGMENT]);

export function warningPage({ host, url, isFramed }: {
  readonly host: string;
  /** The URL that the visitor wanted to open. */
  readonly url: string;
  /** True if it is shown in a frame of another page, in which browsers may not store cookies. */
  readonly isFramed: boolean;
}): string {
  const target = escapeHtml(url);
  const newTabLink = isFramed
    ? `<p class="note">If this page comes back, your browser does not store cookies in frames.
<a href="${target}" data-here target="_blank" rel="noopener noreferrer">Open the preview in a new tab</a></p>`
    : "";
  const shown = filled(main, {
    host: escapeHtml(host),
    action: ACCEPT_PATH,
    field: REDIRECT_FIELD,
    target,
    newTabLink,
  });
  return page(`Continue to ${host}?`, shown + FRAGMENT_KEEPER);
}
