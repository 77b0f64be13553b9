/** How a page asks for its own address again when its visitor says so. */
import { pageScript } from "./script.ts";

/** A reload keeps the fragment, which the link loses, and in a frame it names the page around it once more. */
export const RELOAD = pageScript(
  `addEventListener("click", (event) => {
  if (event.target.id !== "reload") return;
  event.preventDefault();
  location.reload();
})`,
);

/** The element with the script, for the head of a page with that link. */
export const RELOADABLE = `<script>${RELOAD.text}</script>`;

/** The link that reloads the page, as a button; without JavaScript, it leads to the page's address. */
export function reloadLink(classes = "button"): string {
  return `<a class="${classes}" id="reload" href="">Try again</a>`;
}
