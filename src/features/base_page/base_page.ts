/** The page of a base domain itself: what this is, and the way to a preview. */
import type { Link } from "../../gateway/feature_module.ts";
import { escapeHtml } from "../../pages/html.ts";
import { BASE_POLICY, ICON, page } from "../../pages/page.ts";

interface BasePageData {
  /** The base domain as requested, with its port if it has one. */
  readonly authority: string;
  readonly version: string;
  readonly links: readonly Link[];
  /** Where the form leads to besides a preview. */
  readonly pages: readonly Link[];
  /** True if people can log in, and out. */
  readonly hasLogin: boolean;
  /** Who has logged in, at most one for each login. */
  readonly users: readonly string[];
  /** What was sent with the form, and leads to no preview; undefined before that. */
  readonly refused?: PreviewFields | undefined;
}

/** What the form sends. */
export type PreviewFields = Readonly<Record<"port" | "sandbox", string>>;

/** Path that the form leads to. */
export const OPEN_PATH = "/open";

/**
 * Content-Security-Policy of the page, which nobody may frame. It has no `form-action`, which also applies to the
 * redirects that follow the form: to a preview, and from there to a login at any provider.
 */
export const BASE_PAGE_POLICY = `${BASE_POLICY}; frame-ancestors 'none'`;

/** Renders it as an HTML document. */
export function basePage(data: BasePageData): string {
  const { links, pages, hasLogin, users, refused } = data;
  const authority = escapeHtml(data.authority);
  const version = escapeHtml(data.version);
  const buttons = pages.map(({ url, text }) =>
    `\n<button class="quiet" name="page" value="${url}">${text}</button>`
  );
  const port = escapeHtml(refused?.port ?? "");
  const sandbox = escapeHtml(refused?.sandbox ?? "");
  const fault = refused && `\n<p id="fault" role="alert">${FAULT}</p>`;
  const faulty = refused === undefined ? "" : ' aria-describedby="fault"';
  const names = escapeHtml(users.join(", "));
  const user = users.length > 0 &&
    `\n<p class="note">Logged in as <span class="name">${names}</span></p>`;
  const logout = hasLogin ? ' <a href="/logout">Log out</a>' : "";
  return page(
    refused === undefined ? "Previews" : "There is no such address",
    `<p class="status brand">${ICON} Porthole</p>
<h1>Previews of Daytona sandboxes</h1>
<p>What listens on a port of a sandbox is shown at an address of its own:</p>
<p class="host">{port}-{sandbox}.${authority}</p>
<form action="${OPEN_PATH}">${fault ?? ""}
<div class="fields">
<label>Port
<input name="port" inputmode="numeric" pattern="[1-9][0-9]{0,4}" placeholder="3000" value="${port}"${faulty}></label>
<label>Sandbox
<input name="sandbox" required autocapitalize="none" spellcheck="false" placeholder="ID or address" value="${sandbox}"${faulty}></label>
</div>
<button>Open the preview</button>${buttons.join("")}
</form>${linkList(links)}${user || ""}
<p class="note foot"><a href="/docs">Documentation</a>${logout} <span>Porthole ${version}</span></p>`,
  );
}

const FAULT =
  "That is no preview’s address. A port is a number from 1 to 65535, and the ID of a sandbox has letters, digits, “-” and “_”. A whole address needs no port besides its own.";

function linkList(links: readonly Link[]): string {
  if (links.length === 0) return "";
  const groups = Map.groupBy(links, ({ group }) => group);
  const lists = [...groups].map(([group, listed]) => {
    const items = listed.map(({ url, text }) =>
      `<li><a href="${escapeHtml(url)}">${escapeHtml(text)}</a></li>`
    );
    const heading = group === undefined
      ? ""
      : `<h3>${escapeHtml(group)}</h3>\n`;
    return `${heading}<ul>\n${items.join("\n")}\n</ul>`;
  });
  return `\n<h2>To try</h2>\n${lists.join("\n")}`;
}
