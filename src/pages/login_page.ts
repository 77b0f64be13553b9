/** The page that asks how to log in, where there are two ways. */
import { escapeHtml } from "../lib/html.ts";
import { page } from "./page.ts";

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
<p><a href="${link("standard")}">Log in</a></p>
<p><a href="${
      link("sso")
    }">Log in with your organization’s single sign-on</a></p>`,
  );
}
