/** The page that a browser shows for one of our errors. */
import { escapeHtml } from "../lib/html.ts";
import { ERROR_TEXTS } from "./error_texts.ts";
import type { ErrorCode } from "../errors.ts";
import css from "./page.css" with { type: "text" };

/** What the page says beside the words of its code. */
export interface ErrorPageData {
  readonly code: ErrorCode;
  readonly status: number;
  readonly requestId: string;
}

/** Content-Security-Policy of our own pages: no script, nothing from elsewhere, the inline style only. */
export const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'";

/** Renders the HTML document. */
export function errorPage(data: ErrorPageData): string {
  const text = ERROR_TEXTS[data.code];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(text.title)}</title>
<style>${css}</style>
</head>
<body>
<main>
<p class="status">${data.status}</p>
<h1>${escapeHtml(text.title)}</h1>
<p>${escapeHtml(text.detail)}</p>
<p>${escapeHtml(text.hint)}</p>
<dl>
<dt>Code</dt><dd><code>${escapeHtml(data.code)}</code></dd>
<dt>Request</dt><dd><code>${escapeHtml(data.requestId)}</code></dd>
</dl>
</main>
</body>
</html>
`;
}
