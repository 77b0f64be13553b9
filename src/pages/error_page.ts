/** The page that a browser shows for one of the gateway's errors. */
import { escapeHtml } from "../lib/html.ts";
import { ERROR_TEXTS } from "./error_texts.ts";
import type { ErrorCode } from "../errors.ts";
import { page } from "./page.ts";

/** What the page shows besides the text of its code. */
export interface ErrorPageData {
  readonly code: ErrorCode;
  readonly status: number;
  readonly requestId: string;
}

/** Renders the error page as an HTML document. */
export function errorPage(data: ErrorPageData): string {
  const text = ERROR_TEXTS[data.code];
  return page(
    text.title,
    `<p class="status">${data.status}</p>
<h1>${escapeHtml(text.title)}</h1>
<p>${escapeHtml(text.detail)}</p>
<p>${withFieldNames(text.hint)}</p>
<dl>
<dt>Code</dt><dd><code>${breakable(data.code)}</code></dd>
<dt>Request ID</dt><dd><code>${escapeHtml(data.requestId)}</code></dd>
</dl>`,
  );
}

/** Lets a code wrap after its underscores, and nowhere else. */
function breakable(code: string): string {
  return escapeHtml(code).replaceAll("_", "_<wbr>");
}

/** Marks up header names as code, which keeps them from wrapping on a narrow screen. */
function withFieldNames(text: string): string {
  return escapeHtml(text).replace(/\bX-[A-Za-z-]+/g, "<code>$&</code>");
}
