/** How a page waits for an error to pass: what it says of that, and how it finds out. */
import { type CodeWith, type ErrorCode, ERRORS } from "../error_codes.ts";
import { pageScript } from "./script.ts";

/**
 * Asks for the head of the page's own address until that is no longer the error that the page shows, and then reloads it,
 * once: so the page stands still meanwhile, and the app gets one GET. A request that is not answered soon has reached an
 * app, which may compile for a minute before its first answer. The pauses grow with the time waited, and nobody asks for a
 * page that nobody sees. The time waited is kept through the reloads in between, but not for the app's page.
 *
 * A reload keeps the fragment, which a refresh with a `url=` loses; Chromium performs no refresh at all at an address that
 * has one. In a frame, a reload also names the page around it once more, without which no session counts there. In a frame
 * that is sandboxed, whose origin is nobody's, a page cannot ask for its own address: it reloads every few seconds.
 */
export const WAIT = pageScript(
  `const { seconds, code } = document.currentScript.dataset;
const KEY = "porthole-waiting";
const isNobodys = origin === "null";
addEventListener("DOMContentLoaded", async () => {
  const since = waitingSince();
  const elapsed = document.getElementById("elapsed");
  elapsed.parentElement.hidden = false;
  const show = () => elapsed.textContent = duration(Date.now() - since);
  show();
  setInterval(show, 1000);
  for (;;) {
    await pause(Math.max((isNobodys ? 5 : seconds) * 1000, Math.min(30000, (Date.now() - since) / 20)));
    const { error, state } = await look();
    if (error === undefined) continue;
    if (error !== code) {
      keep(error && [since, Date.now()].join());
      return location.reload();
    }
    const shown = document.getElementById("state");
    if (state && shown) shown.textContent = state;
  }
});
async function look() {
  if (isNobodys) return { error: null };
  try {
    const signal = AbortSignal.timeout(5000);
    const options = { method: "HEAD", headers: { accept: "text/html" }, cache: "no-store", redirect: "manual", signal };
    const { headers } = await fetch("", options);
    return { error: headers.get("x-porthole-error"), state: headers.get("x-daytona-sandbox-state") };
  } catch ({ name }) {
    return name === "TimeoutError" ? { error: null } : {};
  }
}
async function pause(ms) {
  await new Promise((resolve) => setTimeout(resolve, ms));
  if (document.hidden) await new Promise((resolve) => addEventListener("visibilitychange", resolve, { once: true }));
}
function duration(ms) {
  const seconds = Math.round(ms / 1000);
  return (seconds < 60 ? "" : Math.floor(seconds / 60) + " min ") + seconds % 60 + " s";
}
function waitingSince() {
  try {
    const [since, at] = sessionStorage.getItem(KEY).split(",");
    keep(null);
    if (Date.now() - at < 10000) return +since;
  } catch {}
  return Date.now();
}
function keep(value) {
  try {
    if (value) sessionStorage.setItem(KEY, value);
    else sessionStorage.removeItem(KEY);
  } catch {}
}`,
);

/** Least time between two looks, seconds. */
const MIN_LOOK_SEC = 2;

/** Least time between two reloads without JavaScript, seconds. */
const MIN_RELOAD_SEC = 5;

/** The part of a waiting page's head. */
export function waitingHead(
  code: ErrorCode,
  retryAfterSec: number | undefined,
): string {
  const seconds = Math.max(MIN_LOOK_SEC, retryAfterSec ?? 0);
  const refresh = Math.max(MIN_RELOAD_SEC, seconds);
  return `<script data-seconds="${seconds}" data-code="${code}">${WAIT.text}</script>
<noscript><meta http-equiv="refresh" content="${refresh}"></noscript>`;
}

/**
 * What a waiting page says of that. Only the first paragraph is a live region: nobody wants to hear the seconds counted.
 */
export function waitingNote(code: ErrorCode, port: number | undefined): string {
  return `${steps(code, port)}
<p role="status">This page reloads by itself when this changes.</p>
<p class="note" hidden>Waiting for <span id="elapsed"></span></p>`;
}

/** The first step, by the error that is told during it or thereafter. */
const FIRST_STEPS: Readonly<
  Record<CodeWith<{ stage: "starting" | "booting" }>, string>
> = {
  sandbox_starting: "The sandbox starts.",
  sandbox_resuming: "The sandbox resumes.",
  sandbox_restoring: "The sandbox’s files are brought back, and it starts.",
  sandbox_pulling: "The sandbox is set up, and starts.",
  port_closed: "The sandbox is running.",
};

function hasSteps(code: ErrorCode): code is keyof typeof FIRST_STEPS {
  return Object.hasOwn(FIRST_STEPS, code);
}

/** What has to happen until an app answers; nothing if the error does not lead there. */
function steps(code: ErrorCode, port: number | undefined): string {
  if (!hasSteps(code) || port === undefined) return "";
  const isRunning = ERRORS[code].stage === "booting";
  const now = ' aria-current="step"';
  return `
<ol class="steps">
<li${isRunning ? ' class="done"' : now}>${FIRST_STEPS[code]}</li>
<li${isRunning ? now : ""}>The app begins to listen on port ${port}.</li>
<li>This page becomes the app’s.</li>
</ol>`;
}
