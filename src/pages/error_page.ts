/** The page that a browser shows for one of our errors. */
import { escapeHtml } from "../lib/html.ts";
import { ERROR_TEXTS } from "./error_texts.ts";
import type { ErrorCode } from "../errors.ts";
import { page } from "./page.ts";

/** What the page says beside the words of its code. */
export interface ErrorPageData {
  readonly code: ErrorCode;
  readonly status: number;
  readonly requestId: string;
}

/** Renders the HTML document. */
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
<dt>Request</dt><dd><code>${escapeHtml(data.requestId)}</code></dd>
</dl>`,
  );
}

/** A code that may break after its underscores, and nowhere else. */
function breakable(code: string): string {
  return escapeHtml(code).replaceAll("_", "_<wbr>");
}

/** Field names stay whole on a narrow screen. */
function withFieldNames(text: string): string {
  return escapeHtml(text).replace(/\bX-[A-Za-z-]+/g, "<code>$&</code>");
}
