/** How a page asks for its own address again. */
import { createHash } from "node:crypto";

/**
 * Once, since the page that comes then brings its own, and it may take long. It keeps the fragment, which a refresh
 * with a `url=` loses; Chromium performs no refresh at all at an address that has one.
 */
const SCRIPT =
  "setTimeout(() => location.reload(), document.currentScript.dataset.seconds * 1000)";

/** The directive of a Content-Security-Policy (CSP3 section 2.3.1) that allows this script and no other. */
export const RELOAD_DIRECTIVE = `script-src 'sha256-${
  createHash("sha256").update(SCRIPT).digest("base64")
}'`;

/** The part of a page's head that reloads it after a time, seconds; it works without JavaScript, too. */
export function reloadEvery(seconds: number): string {
  return `<script data-seconds="${seconds}">${SCRIPT}</script>
<noscript><meta http-equiv="refresh" content="${seconds}"></noscript>`;
}
