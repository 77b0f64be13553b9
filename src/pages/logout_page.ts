/** The page that asks before logging out, and says when it is done. */
import { escapeHtml } from "../lib/html.ts";
import { page } from "./page.ts";

/** What the page says. */
export interface LogoutPageData {
  readonly state: "asking" | "done";
  /** The sandbox that it is about; undefined for all of them. */
  readonly sandbox: string | undefined;
}

/** Renders the HTML document. */
export function logoutPage({ state, sandbox }: LogoutPageData): string {
  const what = sandbox === undefined
    ? "all previews"
    : `the previews of ${escapeHtml(sandbox)}`;
  if (state === "done") {
    return page(
      "Logged out",
      `<h1>You are logged out of ${what}</h1>
<p>You may still be logged in at your identity provider.</p>`,
    );
  }
  const field = sandbox === undefined
    ? ""
    : `<input type="hidden" name="sandbox" value="${escapeHtml(sandbox)}">`;
  return page(
    "Log out",
    `<h1>Log out of ${what}?</h1>
<form method="post" action="/logout">${field}<button>Log out</button></form>`,
  );
}
