/** The page before a visitor's first look at a preview: a warning that it shows what somebody else runs. */
import { FRAGMENT_KEEPER, KEEP_FRAGMENT } from "../../pages/fragment.ts";
import { escapeHtml } from "../../pages/html.ts";
import { BASE_POLICY, page } from "../../pages/page.ts";
import { withScripts } from "../../pages/script.ts";

/** Path that the page's form posts to. */
export const ACCEPT_PATH = "/accept-daytona-preview-warning";

/** Name of the form field or query parameter with the URL to continue to. */
export const REDIRECT_FIELD = "redirect";

/**
 * Content-Security-Policy of the page. It has no `form-action`, which also applies to the redirects that follow the form,
 * maybe to a login at any provider; and no `frame-ancestors`, since previews may be embedded, and an acceptance in a frame
 * only counts below the embedding site.
 */
export const WARNING_POLICY = withScripts(BASE_POLICY, [KEEP_FRAGMENT]);

/** Renders the warning as an HTML document. */
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
<a href="${target}" data-here target="_blank" rel="noopener noreferrer">Open the preview in a new tab</a></p>\n`
    : "";
  return page(
    `Continue to ${host}?`,
    `<p class="status">Before you continue</p>
<h1>Do you trust this preview?</h1>
<p class="host">${escapeHtml(host)}</p>
<p>This app runs in a Daytona sandbox. Whoever runs it decides what it shows; nobody has reviewed it.</p>
<p>Do not enter passwords, payment details or anything private unless you know and trust whoever runs it.</p>
<form method="post" action="${ACCEPT_PATH}">
<input type="hidden" name="${REDIRECT_FIELD}" value="${target}">
<button>Continue to preview</button>
</form>
${newTabLink}<p class="note">A cookie remembers your choice for this address for 24 hours.</p>
<p class="note">Is this your preview? To skip this page, send the header
<code>X-Daytona-Skip-Preview-Warning: true</code> with your requests.</p>${FRAGMENT_KEEPER}`,
  );
}
