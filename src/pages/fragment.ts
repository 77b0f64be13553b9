/**
 * How a page leads on to the very address that its visitor wanted, fragment included. No server ever sees that, so a
 * script has to add it, to links with `data-here` and to forms: the redirect that follows one keeps the fragment of its
 * action (Fetch standard, "HTTP-redirect fetch").
 */
import { pageScript } from "./script.ts";

/** The script; without it, the links and forms lead to the address without its fragment. */
export const KEEP_FRAGMENT = pageScript(`(onhashchange = () => {
  for (const link of document.querySelectorAll("a[data-here]")) link.hash = location.hash;
  for (const form of document.forms) form.action = form.action.split("#")[0] + location.hash;
})()`);

/** The element with the script, for the end of a page that has such links or forms. */
export const FRAGMENT_KEEPER = `\n<script>${KEEP_FRAGMENT.text}</script>`;
