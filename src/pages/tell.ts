/** How a page in a frame tells the page around it what the preview does. */
import script from "../../gen/text/pages/tell.js.ts";
import type { StateMessage } from "./frame_state.ts";
import { escapeHtml } from "./html.ts";
import { pageScript } from "./script.ts";

/** Sends the message that its element holds, and one more before a waiting page becomes the app's; to the listed origins only. */
export const TELL = pageScript(script);

/** The element with the script, for the head of a page. */
export function teller(
  message: StateMessage,
  ancestors: readonly string[],
): string {
  const data = escapeHtml(JSON.stringify(message));
  const origins = escapeHtml(ancestors.join(" "));
  return `<script data-ancestors="${origins}" data-message="${data}">${TELL.text}</script>`;
}
