/** How a page asks for its own address again when its visitor says so. */
import { pageScript } from "./script.ts";

/** The link works once its wait is over. A reload keeps the fragment, which the link loses, and in a frame it names the page around it once more. */
export const RELOAD = pageScript(
  `addEventListener("click", (event) => {
  const { id, ariaDisabled } = event.target;
  if (id !== "reload") return;
  event.preventDefault();
  if (ariaDisabled !== "true") location.reload();
});
addEventListener("DOMContentLoaded", () => {
  const link = document.getElementById("reload");
  const until = Date.now() + link.dataset.seconds * 1000;
  const show = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    link.ariaDisabled = left > 0 ? "true" : null;
    link.textContent = left > 0 ? "Try again in " + left + " s" : "Try again";
    if (left > 0) setTimeout(show, 500);
  };
  if (link.dataset.seconds) show();
})`,
);

/** The element with the script, for the head of a page with that link. */
export const RELOADABLE = `<script>${RELOAD.text}</script>`;

/** The link that reloads the page, as a button, after so many seconds; without JavaScript, it leads to the page's address. */
export function reloadLink(classes = "button", waitSec?: number): string {
  const wait = waitSec === undefined ? "" : ` data-seconds="${waitSec}"`;
  return `<a class="${classes}" id="reload" href=""${wait}>Try again</a>`;
}
