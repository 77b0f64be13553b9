/** The script that an app's pages have in a frame, and the element that holds it. */
import script from "../../../../gen/text/features/embeds/bridge/bridge.js.ts";
import type { FrameTerms } from "../../../auth/grants.ts";
import { escapeHtml } from "../../../pages/html.ts";
import { pageScript } from "../../../pages/script.ts";

/** Tells the origins that its element lists, and no other, what happens in the page: at most 50 messages a second. */
export const BRIDGE = pageScript(script);

/** The element with the script, in ASCII. It is not loaded from a URL, since not all browsers allow such a script by its hash. */
export function bridgeElement(
  { ancestors, bridge }: Pick<FrameTerms, "ancestors" | "bridge">,
): string {
  const kinds = Object.fromEntries(bridge.map((kind) => [kind, true]));
  const data = escapeHtml(JSON.stringify({ ...kinds, ancestors }));
  return `<script data-porthole="${data}">${BRIDGE.text}</script>`;
}
