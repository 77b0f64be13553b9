/** The pages that ask before logging out, and confirm it afterwards. */
import { escapeHtml } from "./html.ts";
import { page } from "./page.ts";

type State = "asking" | "done" | "deleted" | "no_login";

/** A form that deletes cookies; `attributes` are those of its button. */
function deleteCookies(attributes = ""): string {
  return `<form method="post" action="/logout"><button${attributes} name="cookies" value="delete">Delete all cookies</button></form>`;
}

export function logoutPage({ state, sandbox, hasHomePage }: {
  readonly state: State;
  /** The sandbox to log out of; undefined for all sandboxes. */
  readonly sandbox: string | undefined;
  /** True if there is a page at `/`, which leads on. */
  readonly hasHomePage: boolean;
}): string {
  const [scope, input] = sandbox === undefined ? ["all previews", ""] : [
    `the previews of ${escapeHtml(sandbox)}`,
    `<input type="hidden" name="sandbox" value="${escapeHtml(sandbox)}">`,
  ];
  const way = hasHomePage ? '\n<p><a href="/">Open a preview</a></p>' : "";
  const pages: Record<State, [title: string, main: string]> = {
    asking: [
      "Log out",
      `<h1>Log out of ${scope}?</h1>
<form method="post" action="/logout">${input}<button>Log out</button></form>
<p>If previews do not open because your browser sends too many cookies, delete those of all previews. That logs you out, too.</p>
${deleteCookies(' class="quiet"')}`,
    ],
    done: [
      "Logged out",
      `<h1>You are logged out of ${scope}</h1>
<p>The next login here asks for an account, even if you are still logged in at your identity provider.</p>
<p>Previews that you opened by a link with a token stay open in this browser for a while, as they need no login. To close those below this domain now, delete the cookies of all previews.</p>
${deleteCookies(' class="quiet"')}${way}`,
    ],
    deleted: [
      "Cookies deleted",
      `<h1>The cookies of all previews below this domain are deleted</h1>
<p>If you are still logged in at your identity provider, the next login here need not ask for an account.</p>${way}`,
    ],
    no_login: [
      "Delete cookies",
      `<h1>Nobody logs in here</h1>
<p>If previews do not open because your browser sends too many cookies, delete those of all previews.</p>
${deleteCookies()}`,
    ],
  };
  return page(...pages[state]);
}
