/** The pages that ask before logging out, and confirm it afterwards. */
import { escapeHtml } from "./html.ts";
import { page } from "./page.ts";

/** The content of the page. */
interface LogoutPageData {
  readonly state: "asking" | "done" | "deleted" | "no_login";
  /** The sandbox to log out of; undefined for all sandboxes. */
  readonly sandbox: string | undefined;
  /** True if there is a page at `/`, which leads on. */
  readonly hasBasePage: boolean;
}

/** A form that deletes cookies; `attributes` are those of its button. */
function deleteCookies(attributes = ""): string {
  return `<form method="post" action="/logout"><button${attributes} name="cookies" value="delete">Delete all cookies</button></form>`;
}

/** Renders the logout page as an HTML document. */
export function logoutPage(
  { state, sandbox, hasBasePage }: LogoutPageData,
): string {
  const scope = sandbox === undefined
    ? "all previews"
    : `the previews of ${escapeHtml(sandbox)}`;
  const way = hasBasePage ? '\n<p><a href="/">Open a preview</a></p>' : "";
  if (state === "done") {
    return page(
      "Logged out",
      `<h1>You are logged out of ${scope}</h1>
<p>The next login here asks for an account, even if you are still logged in at your identity provider.</p>${way}`,
    );
  }
  if (state === "deleted") {
    return page(
      "Cookies deleted",
      `<h1>The cookies of all previews are deleted</h1>
<p>If you are still logged in at your identity provider, the next login here need not ask for an account.</p>${way}`,
    );
  }
  if (state === "no_login") {
    return page(
      "Delete cookies",
      `<h1>Nobody logs in here</h1>
<p>If previews do not open because your browser sends too many cookies, delete those of all previews.</p>
${deleteCookies()}`,
    );
  }
  const input = sandbox === undefined
    ? ""
    : `<input type="hidden" name="sandbox" value="${escapeHtml(sandbox)}">`;
  return page(
    "Log out",
    `<h1>Log out of ${scope}?</h1>
<form method="post" action="/logout">${input}<button>Log out</button></form>
<p>If previews do not open because your browser sends too many cookies, delete those of all previews. That logs you out, too.</p>
${deleteCookies(' class="quiet"')}`,
  );
}
