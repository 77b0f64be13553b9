/** The layout that all of the gateway's pages share. */
import css from "../../gen/text/pages/page.css.ts";
import { escapeHtml } from "./html.ts";
import { pageScript } from "./script.ts";

const grounds = [...css.matchAll(/--(?:ground|paper): (#\w+)/g)]
  .map(([, color = ""]) => color);

/** A porthole, drawn in the page itself so that no browser asks an app for `/favicon.ico`. */
export const ICON =
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6.25" fill="#cfe0ff" stroke="#2f62d6" stroke-width="2.5"/><path d="M4.6 8.9c1.1-1 2.2-1 3.4 0s2.3 1 3.4 0" fill="none" stroke="#2f62d6" stroke-width="1.25" stroke-linecap="round"/></svg>`;

/** Content-Security-Policy of all our pages: inline style, the icon, what script.ts adds, and nothing else. */
export const BASE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'";

/** Content-Security-Policy of pages whose forms, if any, lead to pages of the gateway only. */
export const PAGE_POLICY = `${BASE_POLICY}; form-action 'self'`;

/** What allows the layout's style in a policy, and no other. */
export const STYLE_SOURCE = pageScript(css).source;

/** {@linkcode BASE_POLICY} for pages with no style but the layout's. */
export const PLAIN_POLICY = BASE_POLICY
  .replace("'unsafe-inline'", () => STYLE_SOURCE);

/** The colors behind text in the layout's style, and of text on buttons, by color scheme. */
export const GROUNDS = { light: grounds.slice(0, 2), dark: grounds.slice(2) };

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
<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(ICON)}">${
    options.head === undefined ? "" : `\n${options.head}`
  }
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
