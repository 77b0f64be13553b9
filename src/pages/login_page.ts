/** The page that asks how to log in, where there are two ways. */
import { FRAGMENT_KEEPER, KEEP_FRAGMENT } from "./fragment.ts";
import { escapeHtml } from "./html.ts";
import { page, PAGE_POLICY } from "./page.ts";
import { withScripts } from "./script.ts";

/** Content-Security-Policy of the page, which no other may frame. */
export const LOGIN_PAGE_POLICY = withScripts(
  `${PAGE_POLICY}; frame-ancestors 'none'`,
  [KEEP_FRAGMENT],
);

/** Renders the page; `query` is that of the `/login` which led here. */
export function loginPage(query: URLSearchParams): string {
  function link(provider: string): string {
    const chosen = new URLSearchParams(query);
    chosen.set("provider", provider);
    return `/login?${escapeHtml(chosen.toString())}`;
  }
  return page(
    "Log in",
    `<h1>Log in to open this preview</h1>
<p><a href="${link("standard")}" data-here>Log in</a></p>
<p><a href="${
      link("sso")
    }" data-here>Log in with your organization’s single sign-on</a></p>${FRAGMENT_KEEPER}`,
  );
}
