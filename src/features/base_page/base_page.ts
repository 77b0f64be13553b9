/** The page of a base domain itself: what this is, and the way to a preview. */
import main from "../../../gen/text/features/base_page/base_page.html.ts";
import type { Link } from "../../gateway/feature_module.ts";
import { escapeHtml, filled } from "../../pages/html.ts";
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
export function basePageHtml(data: BasePageData): string {
  const { links, pages, hasLogin, users, refused } = data;
  const buttons = pages.map(({ url, text }) =>
    `\n<button class="quiet" name="page" value="${url}">${text}</button>`
  );
  const names = escapeHtml(users.join(", "));
  return page(
    refused === undefined ? "Previews" : "There is no such address",
    filled(main, {
      icon: ICON,
      authority: escapeHtml(data.authority),
      action: OPEN_PATH,
      fault: refused ? `\n<p id="fault" role="alert">${FAULT}</p>` : "",
      faulty: refused ? ' aria-describedby="fault"' : "",
      typedPort: escapeHtml(refused?.port ?? ""),
      typedSandbox: escapeHtml(refused?.sandbox ?? ""),
      buttons: buttons.join(""),
      links: linkList(links),
      user: users.length > 0
        ? `\n<p class="note">Logged in as <span class="name">${names}</span></p>`
        : "",
      logout: hasLogin ? ' <a href="/logout">Log out</a>' : "",
      version: escapeHtml(data.version),
    }),
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
