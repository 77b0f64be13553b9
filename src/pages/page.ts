/** The layout that all of the gateway's pages share. */
import { escapeHtml } from "./html.ts";
import { ICON } from "./icon.ts";
import css from "./page.css" with { type: "text" };

/**
 * Content-Security-Policy that all of the gateway's pages have in common: no scripts but those that script.ts adds,
 * nothing from elsewhere, only the inline style and the icon. Without an icon, browsers ask for `/favicon.ico`, which is
 * the app's, and Firefox reports a violation.
 */
export const BASE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'";

/** Content-Security-Policy of pages whose forms, if any, lead to pages of the gateway only. */
export const PAGE_POLICY = `${BASE_POLICY}; form-action 'self'`;

/** Renders an HTML document. `main` and `head` are inserted as HTML; `title` is escaped. */
export function page(
  title: string,
  main: string,
  options: { wide?: boolean; head?: string; mainClass?: string } = {},
): string {
  const mainClass = options.mainClass ?? (options.wide ? "wide" : undefined);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
${ICON}${options.head === undefined ? "" : `\n${options.head}`}
<title>${escapeHtml(title)}</title>
<style>${css}</style>
</head>
<body>
<main${mainClass === undefined ? "" : ` class="${mainClass}"`}>
${main}
</main>
</body>
</html>
`;
}
