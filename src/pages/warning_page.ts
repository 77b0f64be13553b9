/** The page before somebody's first visit of a preview: whose words they are about to read. */
import { escapeHtml } from "../lib/html.ts";
import { page } from "./page.ts";

/** What the page says. */
export interface WarningPageData {
  /** The preview's host name. */
  readonly host: string;
  /** What the visitor wanted to see. */
  readonly url: string;
  /** Whether another page shows this one in a frame, where browsers may keep no cookies. */
  readonly isFramed: boolean;
}

/** Where the page's form is sent. */
export const ACCEPT_PATH = "/accept-daytona-preview-warning";

/** The field of the form, or the query parameter, that holds where to go on to. */
export const REDIRECT_FIELD = "redirect";

/**
 * Content-Security-Policy of the page. Without `form-action`: browsers apply it to what the form redirects to as well,
 * and behind the preview may be a login at any provider, the gateway's own or the app's. Without `frame-ancestors`:
 * previews are embedded rightly, and an acceptance counts below the embedding site only.
 */
export const WARNING_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'";

/** Renders the HTML document. */
export function warningPage({ host, url, isFramed }: WarningPageData): string {
  const target = escapeHtml(url);
  const wayOut = isFramed
    ? `<p class="note">If this page comes back, your browser keeps no cookies in frames.
<a href="${target}" target="_blank" rel="noopener noreferrer">Open the preview in a new tab</a></p>\n`
    : "";
  return page(
    `Continue to ${host}?`,
    `<p class="status">Before you continue</p>
<h1>Do you trust this preview?</h1>
<p class="host">${escapeHtml(host)}</p>
<p>This is an app that somebody runs in a sandbox. What you see there is theirs, and nobody has checked it.</p>
<p>Do not enter passwords, payment details or anything private unless you know who runs it and trust them.</p>
<form method="post" action="${ACCEPT_PATH}">
<input type="hidden" name="${REDIRECT_FIELD}" value="${target}">
<button>Continue to preview</button>
</form>
${wayOut}<p class="note">A cookie remembers your choice for this address for 24 hours.</p>
<p class="note">Is it your preview? Send the header <code>X-Daytona-Skip-Preview-Warning: true</code> with a request to do
without this page.</p>`,
  );
}
