/** The page that a browser shows for one of the gateway's errors. */
import type { ErrorAdvice, ErrorCode } from "../errors.ts";
import { escapeHtml } from "../lib/html.ts";
import { errorText } from "./error_texts.ts";
import { page } from "./page.ts";
import { startForm } from "./start_form.ts";

/** The content of the page besides the text of its code. */
export interface ErrorPageData {
  readonly code: ErrorCode;
  readonly status: number;
  /** The port of the sandbox, if the error is about one. */
  readonly port?: number | undefined;
  readonly requestId: string;
  /** True if the page may request its address again: it does not answer a form, for example. */
  readonly mayReload: boolean;
  /** The value of Retry-After, seconds; undefined if the response has none. */
  readonly retryAfterSec: number | undefined;
  readonly advice: Omit<ErrorAdvice, "headers">;
  /** Where docs/apps.md is served; undefined if the error is not about an app. */
  readonly guideUrl?: string | undefined;
}

/** Errors that tend to pass by themselves: an app still boots, a sandbox moves, a gateway restarts. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  "port_closed",
  "toolbox_unreachable",
  "container_not_found",
  "sandbox_starting",
  "sandbox_resuming",
  "sandbox_restoring",
  "sandbox_pulling",
  "sandbox_stopping",
  "runner_unreachable",
  "runner_not_ready",
  "api_unreachable",
  "api_throttled",
  "user_throttled",
  "session_unavailable",
  "overloaded",
  "sandbox_overloaded",
  "shutting_down",
]);

/** Least time between two requests of such a page for its address, seconds. */
const MIN_RELOAD_SEC = 5;

/** Renders the error page as an HTML document. */
export function errorPage(data: ErrorPageData): string {
  const text = errorText(data.code, data.port);
  const reloads = reloadsByItself(data);
  const reloadSec = Math.max(MIN_RELOAD_SEC, data.retryAfterSec ?? 0);
  return page(
    text.title,
    `<p class="status">${data.status}</p>
<h1>${escapeHtml(text.title)}</h1>
<p>${escapeHtml(text.detail)}</p>
<p>${withMarkup(text.hint, data.code)}</p>${errorReason(data)}${
      startButton(data)
    }${
      reloads
        ? `\n<p role="status">This page reloads by itself every ${reloadSec} seconds.</p>`
        : ""
    }${retryLink(data)}${dashboardLink(data)}${logoutLink(data)}${
      guideLink(data)
    }
<dl>${sandboxState(data)}
<dt>Code</dt><dd><code>${breakable(data.code)}</code></dd>
<dt>Request ID</dt><dd><code>${escapeHtml(data.requestId)}</code></dd>
</dl>`,
    reloads ? { reloadSec } : {},
  );
}

/** Errors that the app, or how it is used, may cause: its developer can do something about them. */
const FOR_DEVELOPERS: ReadonlySet<ErrorCode> = new Set([
  "frame_refused",
  "upload_stalled",
  "target_too_long",
  "head_too_large",
  "port_closed",
  "runner_protocol_error",
  "runner_timeout",
  "sandbox_overloaded",
  "buffers_full",
]);

/** True if the page of an error reloads by itself. */
export function reloadsByItself(
  { code, mayReload }: Pick<ErrorPageData, "code" | "mayReload">,
): boolean {
  return mayReload && PASSING.has(code);
}

/** Lets a code wrap after its underscores, and nowhere else. */
function breakable(code: string): string {
  return escapeHtml(code).replaceAll("_", "_<wbr>");
}

/** Marks up header names as code, which keeps them from wrapping on a narrow screen, and links our documentation. */
function withMarkup(text: string, code: ErrorCode): string {
  const html = escapeHtml(text).replace(/\bX-[A-Za-z-]+/g, "<code>$&</code>");
  // On a preview host, `/docs` would be the app's.
  return code === "route_not_found"
    ? html.replace(/\/docs\b/, '<a href="/docs">$&</a>')
    : html;
}

/** What the link to another attempt says, where it leads to the login. */
const RETRY_TEXTS: ReadonlyMap<ErrorCode, string> = new Map([
  ["no_access", "Log in with another account"],
  ["credential_invalid", "Log in instead"],
]);

function retryLink({ code, advice: { retryUrl } }: ErrorPageData): string {
  if (code === "frame_refused") {
    // Empty: the page's own address.
    return '\n<p><a href="" target="_blank" rel="noopener">Open it in a new tab</a></p>';
  }
  if (retryUrl === undefined) return "";
  const text = RETRY_TEXTS.get(code) ?? "Try again";
  return `\n<p><a href="${escapeHtml(retryUrl)}">${text}</a></p>`;
}

/** The sandbox's state in Daytona's own words, by which people find it in the dashboard and in documents. */
function sandboxState({ advice: { sandbox } }: ErrorPageData): string {
  if (sandbox === undefined) return "";
  const { state, desiredState } = sandbox;
  const next = desiredState === null || desiredState === state
    ? ""
    : `, to be <code>${escapeHtml(desiredState)}</code>`;
  return `\n<dt>State</dt><dd><code>${escapeHtml(state)}</code>${next}</dd>`;
}

function startButton({ advice: { start } }: ErrorPageData): string {
  return start === undefined ? "" : `\n${startForm(start)}`;
}

function errorReason({ advice: { sandbox } }: ErrorPageData): string {
  const reason = sandbox?.errorReason ?? null;
  return reason === null
    ? ""
    : `\n<p>Daytona says:</p>\n<pre class="prose">${escapeHtml(reason)}</pre>`;
}

/** Leads on where somebody has to do something: what passes by itself needs nothing but patience. */
function dashboardLink({ code, advice: { dashboardUrl } }: ErrorPageData) {
  if (dashboardUrl === undefined || PASSING.has(code)) return "";
  return `\n<p><a href="${
    escapeHtml(dashboardUrl)
  }" target="_blank" rel="noopener">Open Daytona’s dashboard</a></p>`;
}

function logoutLink({ advice: { logoutUrl } }: ErrorPageData): string {
  return logoutUrl === undefined
    ? ""
    : `\n<p><a href="${
      escapeHtml(logoutUrl)
    }">Delete the cookies of all previews</a></p>`;
}

function guideLink({ code, guideUrl }: ErrorPageData): string {
  if (guideUrl === undefined || !FOR_DEVELOPERS.has(code)) return "";
  return `\n<p class="note"><a href="${
    escapeHtml(guideUrl)
  }" target="_blank" rel="noopener">For the app’s developer: what apps receive here</a></p>`;
}
