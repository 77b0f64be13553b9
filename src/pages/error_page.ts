/** The page that a browser shows for one of the gateway's errors. */
import { TOOLBOX_PORT } from "../address/grammar.ts";
import type { ErrorAdvice, ErrorCode } from "../errors.ts";
import { type ErrorText, errorText } from "./error_texts.ts";
import { FRAGMENT_KEEPER, KEEP_FRAGMENT } from "./fragment.ts";
import { escapeHtml } from "./html.ts";
import { page } from "./page.ts";
import { RELOAD, RELOADABLE, reloadLink } from "./reload.ts";
import type { PageScript } from "./script.ts";
import { startForm } from "./start_form.ts";
import { WAIT, waitingHead, waitingNote } from "./waiting.ts";

/** The content of the page besides the text of its code. */
export interface ErrorPageData {
  readonly code: ErrorCode;
  readonly status: number;
  /** The port of the sandbox, if the error is about one. */
  readonly port?: number | undefined;
  /** The sandbox as the visitor has named it: it need not exist. */
  readonly sandbox?: string | undefined;
  readonly requestId: string;
  /** True if the page may request its address again by itself: it does not answer a form, for example. */
  readonly mayReload: boolean;
  /** The value of Retry-After, seconds; undefined if the response has none. */
  readonly retryAfterSec: number | undefined;
  readonly advice: Omit<ErrorAdvice, "headers">;
  /** True if its visitor may do so; the same by default. */
  readonly mayRetry?: boolean;
  /** Where `/docs` is served for this visitor; undefined if that is not known. */
  readonly docsUrl?: string | undefined;
  /** Where the sandbox's owner sees the requests to it; undefined if nowhere. */
  readonly inspectUrl?: string | undefined;
  /** Where people see their sandboxes. */
  readonly dashboardUrl?: string | undefined;
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

/** Renders the error page as an HTML document. */
export function errorPage(data: ErrorPageData): string {
  const text = errorText(data.code, data.port);
  const reloads = reloadsByItself(data);
  const scripts = errorPageScripts(data);
  const head = [
    ...scripts.includes(RELOAD) ? [RELOADABLE] : [],
    ...reloads ? [waitingHead(data.code, data.retryAfterSec)] : [],
  ];
  return page(
    text.title,
    `<p class="status">${data.status}</p>
<h1>${escapeHtml(text.title)}</h1>
<p>${escapeHtml(text.detail)}</p>
<p>${withMarkup(hintOf(text, data), data)}</p>${errorReason(data)}${
      startButton(data)
    }${reloads ? waitingNote(data.code, data.port) : ""}${retryLink(data)}${
      dashboardLink(data)
    }${logoutLink(data)}${guideLink(data)}
<dl>${sandboxState(data)}${address(data)}
<dt>Code</dt><dd id="code">${codeLink(data)}</dd>
<dt>Request ID</dt><dd><code>${escapeHtml(data.requestId)}</code></dd>
</dl>${scripts.includes(KEEP_FRAGMENT) ? FRAGMENT_KEEPER : ""}`,
    head.length === 0 ? {} : { head: head.join("\n") },
  );
}

function hintOf(
  { hint, buttonHint = hint }: ErrorText,
  { advice: { start } }: ErrorPageData,
): string {
  return start === undefined ? hint : buttonHint;
}

/** The scripts that the page has. */
export function errorPageScripts(data: ErrorPageData): readonly PageScript[] {
  const { code, advice: { retryUrl, start } } = data;
  const leadsOn = start || retryUrl !== undefined || code === "frame_refused";
  return [
    ...mayReloadAtAll(data) ? [RELOAD] : [],
    ...reloadsByItself(data) ? [WAIT] : [],
    ...leadsOn ? [KEEP_FRAGMENT] : [],
  ];
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
  "chunks_too_small",
]);

/** True if the page of an error reloads by itself. */
function reloadsByItself(
  { code, mayReload }: Pick<ErrorPageData, "code" | "mayReload">,
): boolean {
  return mayReload && PASSING.has(code);
}

/** True if it reloads, by itself or if its visitor says so: if the same request may be answered otherwise later. */
function mayReloadAtAll(
  { code, status, mayReload, mayRetry = mayReload, advice }: ErrorPageData,
): boolean {
  const mayPass = status >= 500 || status === 429 || status === 408 ||
    PASSING.has(code);
  return mayRetry && mayPass && advice.retryUrl === undefined;
}

/** Lets a code wrap after its underscores, and nowhere else. */
function breakable(code: string): string {
  return escapeHtml(code).replaceAll("_", "_<wbr>");
}

/** Marks up header names as code, which keeps them from wrapping on a narrow screen, and links our documentation. */
function withMarkup(text: string, { docsUrl }: ErrorPageData): string {
  const html = escapeHtml(text).replace(/\bX-[A-Za-z-]+/g, "<code>$&</code>");
  return docsUrl === undefined
    ? html
    : html.replace(/\/docs\b/, docsLink(docsUrl, "/docs"));
}

/** In a tab of its own: the page may be a frame, or reload. */
function docsLink(url: string, html: string): string {
  return `<a href="${
    escapeHtml(url)
  }" target="_blank" rel="noopener">${html}</a>`;
}

/** Leads to what `/docs` says of the code. */
function codeLink({ code, docsUrl }: ErrorPageData): string {
  const html = `<code>${breakable(code)}</code>`;
  return docsUrl === undefined ? html : docsLink(`${docsUrl}#${code}`, html);
}

/** What the link to another attempt says, where it leads to the login. */
const RETRY_TEXTS: ReadonlyMap<ErrorCode, string> = new Map([
  ["no_access", "Log in with another account"],
  ["credential_invalid", "Log in instead"],
]);

function retryLink(data: ErrorPageData): string {
  const { code, advice: { retryUrl, start } } = data;
  if (code === "frame_refused") {
    // Empty: the page's own address.
    return '\n<p><a class="button" href="" data-here target="_blank" rel="noopener">Open it in a new tab</a></p>';
  }
  if (retryUrl === undefined) {
    if (!mayReloadAtAll(data)) return "";
    return `\n<p>${reloadLink(start ? "button quiet" : "button")}</p>`;
  }
  const text = RETRY_TEXTS.get(code) ?? "Try again";
  return `\n<p><a class="button" href="${
    escapeHtml(retryUrl)
  }" data-here>${text}</a></p>`;
}

/** What the visitor's own address says, and nothing else: whether there is such a sandbox, not everybody may know. */
function address({ port, sandbox }: ErrorPageData): string {
  const rows = [
    ...sandbox === undefined ? [] : [["Sandbox", sandbox]],
    ...port === undefined ? [] : [["Port", `${port}`]],
  ];
  return rows.map(([name = "", value = ""]) =>
    `\n<dt>${name}</dt><dd class="name">${escapeHtml(value)}</dd>`
  ).join("");
}

/** The sandbox's state in Daytona's own words, by which people find it in the dashboard and in documents. */
function sandboxState({ advice: { sandbox } }: ErrorPageData): string {
  if (sandbox === undefined) return "";
  const { state, desiredState } = sandbox;
  const next = desiredState === null || desiredState === state
    ? ""
    : `, to be <code>${escapeHtml(desiredState)}</code>`;
  return `\n<dt>State</dt><dd><code id="state">${
    escapeHtml(state)
  }</code>${next}</dd>`;
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

/** Errors about which one can do something at Daytona: what passes by itself needs nothing but patience. */
const HELPED_AT_DAYTONA: ReadonlySet<ErrorCode> = new Set([
  "sandbox_stopped",
  "sandbox_paused",
  "sandbox_archived",
  "sandbox_error",
  "sandbox_recoverable",
  "sandbox_build_failed",
  "sandbox_destroying",
  "sandbox_deleted",
  "start_not_allowed",
  "start_refused",
  // The same for every address, so it tells nobody whether there is a sandbox.
  "sandbox_not_found",
  "no_access",
  "signed_token_invalid",
  "credential_invalid",
]);

function dashboardLink({ code, dashboardUrl }: ErrorPageData): string {
  if (dashboardUrl === undefined || !HELPED_AT_DAYTONA.has(code)) return "";
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

/** Leads the developer of an app on, if the error is about one: to docs/apps.md, and to what the app is sent. */
function guideLink(
  { code, port, docsUrl, inspectUrl }: ErrorPageData,
): string {
  const isAboutApp = port !== undefined && port !== TOOLBOX_PORT;
  if (docsUrl === undefined || !isAboutApp || !FOR_DEVELOPERS.has(code)) {
    return "";
  }
  const links = [
    docsLink(`${docsUrl}/apps`, "what apps receive here"),
    ...inspectUrl === undefined
      ? []
      : [docsLink(inspectUrl, "the requests to this sandbox")],
  ];
  return `\n<p class="note">For the app’s developer: ${links.join(", ")}</p>`;
}
