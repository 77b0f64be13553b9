/** How a page asks for its own address again when its visitor says so. */
import script from "../../gen/text/pages/reload.js.ts";
import { pageScript } from "./script.ts";

/** The link works once its wait is over. A reload keeps the fragment, which the link loses, and in a frame it names the page around it once more. */
export const RELOAD = pageScript(script);

/** The element with the script, for the head of a page with that link. */
export const RELOADABLE = `<script>${RELOAD.text}</script>`;

/** The link that reloads the page, as a button, after so many seconds; without JavaScript, it leads to the page's address. */
export function reloadLink(classes = "button", waitSec?: number): string {
  const wait = waitSec === undefined ? "" : ` data-seconds="${waitSec}"`;
  return `<a class="${classes}" id="reload" href=""${wait}>Try again</a>`;
}
