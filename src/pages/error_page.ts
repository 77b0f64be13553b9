/** The page that a browser shows for one of the gateway's errors. */
import { TOOLBOX_PORT } from "../address/grammar.ts";
import { type ErrorCode, ERRORS } from "../error_codes.ts";
import type { ErrorAdvice } from "../errors.ts";
import { type ErrorText, errorText } from "./error_texts.ts";
import { FRAGMENT_KEEPER, KEEP_FRAGMENT } from "./fragment.ts";
import { escapeHtml } from "./html.ts";
import { page } from "./page.ts";
import { RELOAD, RELOADABLE, reloadLink } from "./reload.ts";
import type { PageScript } from "./script.ts";
import { WAIT, waitingHead, waitingNote } from "./waiting.ts";

/** The content of the page besides the text of its code. */
export interface ErrorPageData {
  readonly code: ErrorCode;
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
    `<p class="status">${ERRORS[data.code].status}</p>
<h1>${escapeHtml(text.title)}</h1>
<p>${escapeHtml(text.detail)}</p>
<p>${withMarkup(hintOf(text, data), data)}</p>${errorReason(data)}${
      actionForm(data)
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
  { advice: { action } }: ErrorPageData,
): string {
  return action === undefined ? hint : buttonHint;
}

/** The scripts that the page has. */
export function errorPageScripts(data: ErrorPageData): readonly PageScript[] {
  const { code, advice: { retryUrl, action } } = data;
  const leadsOn = action || retryUrl !== undefined || code === "frame_refused";
  return [
    ...mayReloadAtAll(data) ? [RELOAD] : [],
    ...reloadsByItself(data) ? [WAIT] : [],
    ...leadsOn ? [KEEP_FRAGMENT] : [],
  ];
}

/** True if the page of an error reloads by itself. */
function reloadsByItself(
  { code, mayReload }: Pick<ErrorPageData, "code" | "mayReload">,
): boolean {
  return mayReload && ERRORS[code].passes === "by_itself";
}

/** True if it reloads, by itself or if its visitor says so: if the same request may be answered otherwise later. */
function mayReloadAtAll(
  { code, mayReload, mayRetry = mayReload, advice }: ErrorPageData,
): boolean {
  return mayRetry && ERRORS[code].passes !== "never" &&
    advice.retryUrl === undefined;
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

function retryLink(data: ErrorPageData): string {
  const { code, advice: { retryUrl, action } } = data;
  if (code === "frame_refused") {
    // Empty: the page's own address.
    return '\n<p><a class="button" href="" data-here target="_blank" rel="noopener">Open it in a new tab</a></p>';
  }
  if (retryUrl === undefined) {
    if (!mayReloadAtAll(data)) return "";
    return `\n<p>${reloadLink(action ? "button quiet" : "button")}</p>`;
  }
  const { retry = "Try again" } = errorText(code);
  return `\n<p><a class="button" href="${
    escapeHtml(retryUrl)
  }" data-here>${retry}</a></p>`;
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
    : `; <code>${escapeHtml(desiredState)}</code> is wanted`;
  return `\n<dt>State</dt><dd><code id="state">${
    escapeHtml(state)
  }</code>${next}</dd>`;
}

function actionForm({ advice: { action } }: ErrorPageData): string {
  return action === undefined ? "" : `\n${action.html}`;
}

function errorReason({ advice: { sandbox } }: ErrorPageData): string {
  const reason = sandbox?.errorReason ?? null;
  return reason === null
    ? ""
    : `\n<p>Daytona says:</p>\n<pre class="prose">${escapeHtml(reason)}</pre>`;
}

function dashboardLink({ code, dashboardUrl }: ErrorPageData): string {
  const isHelped = ERRORS[code].help === "dashboard";
  if (dashboardUrl === undefined || !isHelped) return "";
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
  if (docsUrl === undefined || !isAboutApp || ERRORS[code].help !== "apps") {
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
