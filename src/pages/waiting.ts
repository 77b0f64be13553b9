/** How a page waits for an error to pass: what it says of that, and how it finds out. */
import script from "../../gen/text/pages/waiting.js.ts";
import { type CodeWith, type ErrorCode, ERRORS } from "../error_codes.ts";
import { pageScript } from "./script.ts";

/**
 * Asks for the head of the page's own address until that is no longer the error that the page shows, and then reloads it,
 * once: so the page stands still meanwhile, and the app gets one GET. A request that is not answered soon has reached an
 * app, which may compile for a minute before its first answer. In a sandboxed frame, whose origin is nobody's, a page
 * cannot ask for its own address: it reloads every few seconds. A reload keeps the fragment, which a refresh with a `url=`
 * loses (Chromium performs none at an address that has one), and in a frame it names the page around it once more.
 */
export const WAIT = pageScript(script);

/** Least time between two looks, seconds. */
const MIN_LOOK_SEC = 2;

/** Least time between two reloads without JavaScript, seconds. */
const MIN_RELOAD_SEC = 5;

export function waitingHead(
  code: ErrorCode,
  retryAfterSec: number | undefined,
): string {
  const seconds = Math.max(MIN_LOOK_SEC, retryAfterSec ?? 0);
  const refresh = Math.max(MIN_RELOAD_SEC, seconds);
  return `<script data-seconds="${seconds}" data-code="${code}">${WAIT.text}</script>
<noscript><meta http-equiv="refresh" content="${refresh}"></noscript>`;
}

/** What a waiting page says. Only its first paragraph is a live region: nobody wants to hear the seconds counted. */
export function waitingNote(code: ErrorCode, port: number | undefined): string {
  return `${steps(code, port)}
<p role="status">This page reloads by itself when this changes.</p>
<p class="note" hidden>Waiting for <span id="elapsed"></span></p>`;
}

/** The first step, by the error that is told during it or thereafter. */
const FIRST_STEPS: Readonly<Partial<Record<ErrorCode, string>>> = {
  sandbox_starting: "The sandbox starts.",
  sandbox_resuming: "The sandbox resumes.",
  sandbox_restoring: "The sandbox’s files are brought back, and it starts.",
  sandbox_pulling: "The sandbox is set up, and starts.",
  port_closed: "The sandbox is running.",
} satisfies Record<CodeWith<{ stage: "starting" | "booting" }>, string>;

/** What has to happen until an app answers; nothing if the error does not lead there. */
function steps(code: ErrorCode, port: number | undefined): string {
  const first = FIRST_STEPS[code];
  if (first === undefined || port === undefined) return "";
  const isRunning = ERRORS[code].stage === "booting";
  const now = ' aria-current="step"';
  return `
<ol class="steps">
<li${isRunning ? ' class="done"' : now}>${first}</li>
<li${isRunning ? now : ""}>The app begins to listen on port ${port}.</li>
<li>This page becomes the app’s.</li>
</ol>`;
}
