/** How a page asks for its own address again: by itself, and when its visitor says so. */
import { pageScript } from "./script.ts";

/**
 * By itself once, since the page that comes then brings its own, and it may take long. A reload keeps the fragment,
 * which a refresh with a `url=` loses, as does the link; Chromium performs no refresh at all at an address that has one.
 * In a frame, a reload also names the page around it once more, without which no session counts there.
 */
export const RELOAD = pageScript(
  `const { seconds } = document.currentScript.dataset;
if (seconds) setTimeout(() => location.reload(), seconds * 1000);
addEventListener("click", (event) => {
  if (event.target.id !== "reload") return;
  event.preventDefault();
  location.reload();
})`,
);

/** The link that reloads the page, as a button; without JavaScript, it leads to the page's address. */
export function reloadLink(classes = "button"): string {
  return `<a class="${classes}" id="reload" href="">Try again</a>`;
}

/** The part of the head of a page with that link; with `seconds`, the page also reloads by itself after that time. */
export function reloadable(seconds?: number): string {
  return seconds === undefined
    ? `<script>${RELOAD.text}</script>`
    : `<script data-seconds="${seconds}">${RELOAD.text}</script>
<noscript><meta http-equiv="refresh" content="${seconds}"></noscript>`;
}
