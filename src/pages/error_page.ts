/** The page that a browser shows for one of the gateway's errors. */
import { TOOLBOX_PORT } from "../address/grammar.ts";
import { type ErrorCode, ERRORS } from "../error_codes.ts";
import type { ErrorAdvice } from "../errors.ts";
import type { GivenText } from "./brand.ts";
import { errorText, specialText } from "./error_texts.ts";
import { FRAGMENT_KEEPER, KEEP_FRAGMENT } from "./fragment.ts";
import { stateMessage } from "./frame_state.ts";
import { escapeHtml } from "./html.ts";
import { page } from "./page.ts";
import { RELOAD, RELOADABLE, reloadLink } from "./reload.ts";
import type { PageScript } from "./script.ts";
import { TELL, teller } from "./tell.ts";
import { WAIT, waitingHead, waitingNote } from "./waiting.ts";

/** The content of the page besides the text of its code. */
export interface ErrorPageData {
  readonly code: ErrorCode;
  /** The port of the sandbox, if the error is about one. */
  readonly port?: number | undefined;
  /** The name that was asked for in place of a preview host, or may have been meant, with its port if it has one. */
  readonly name?: string | undefined;
  /** The base domain below which the client asks, with its port if it has one, where that matters. */
  readonly domain?: string | undefined;
  /** The sandbox as the client has named it, if that is no secret: it need not exist. */
  readonly sandbox?: string | undefined;
  readonly requestId: string;
  /** True if it is shown within another page. */
  readonly isFramed?: boolean;
  /** True if the page may request its address again by itself: it does not answer a form, for example. */
  readonly mayReload: boolean;
  /** True if its visitor may do so; as `mayReload` by default. */
  readonly mayRetry?: boolean;
  /** The value of Retry-After, seconds; undefined if the response has none. */
  readonly retryAfterSec: number | undefined;
  readonly advice: Omit<ErrorAdvice, "headers">;
  /** Where `/docs` is served for this visitor; undefined if that is not known. */
  readonly docsUrl?: string | undefined;
  /** The page with a form that leads to a preview, for who has come to no preview; undefined if there is none. */
  readonly homeUrl?: string | undefined;
  /** Where the sandbox's owner sees the requests to it; undefined if nowhere. */
  readonly ownersViewUrl?: string | undefined;
  /** Where people see their sandboxes. */
  readonly dashboardUrl?: string | undefined;
  /** What takes the place of our text. */
  readonly given?: GivenText | undefined;
}

/** Renders the error page as an HTML document. */
export function errorPage(data: ErrorPageData): string {
  const { code, port, requestId, retryAfterSec, isFramed, advice } = data;
  const subject = data.name ?? port;
  const { action, ancestors = [] } = advice;
  const given = givenFor(data);
  const text = { ...errorText(code, data), ...given };
  const { title, detail, hint, buttonHint = hint } = text;
  const lang = (member: "title" | "detail" | "hint") =>
    given?.[member] === undefined ? "" : ` lang="${given.language}"`;
  const scripts = errorPageScripts(data);
  const reloads = scripts.includes(WAIT);
  const head = [
    ...scripts.includes(RELOAD) ? [RELOADABLE] : [],
    ...reloads ? [waitingHead(code, retryAfterSec)] : [],
    ...scripts.includes(TELL) ? [teller(stateMessage(data), ancestors)] : [],
  ];
  const links = retryLink(data) + dashboardLink(data) + logoutLink(data) +
    guideLink(data);
  return page(
    subject === undefined ? title : `${subject}: ${title}`,
    `<p class="status">${ERRORS[code].status}</p>
<h1${lang("title")}>${escapeHtml(title)}</h1>
<p${lang("detail")}>${escapeHtml(detail)}</p>
<p${lang("hint")}>${withMarkup(action ? buttonHint : hint, data)}</p>${
      errorReason(data)
    }${action ? `\n${action.html}` : ""}${
      reloads ? waitingNote(code, port) : ""
    }${links}
<dl>${sandboxState(data)}${facts(data)}
<dt>Code</dt><dd id="code">${codeLink(data)}</dd>
<dt>Request ID</dt><dd><code>${escapeHtml(requestId)}</code></dd>
</dl>${scripts.includes(KEEP_FRAGMENT) ? FRAGMENT_KEEPER : ""}`,
    {
      ...head.length > 0 && { head: head.join("\n") },
      ...isFramed && { mainClass: "framed" },
    },
  );
}

/** What is given, but for what ours says of one case: it would hide which one that is. */
function givenFor(data: ErrorPageData): GivenText | undefined {
  const { code, given } = data;
  const special = specialText(code, data);
  if (given === undefined || special === undefined) return given;
  const { title, language, varies } = given;
  return title === undefined || special.title !== undefined
    ? undefined
    : { title, language, varies };
}

/** The scripts that the page has. */
export function errorPageScripts(data: ErrorPageData): readonly PageScript[] {
  const { code, mayReload, advice: { retryUrl, action, ancestors = [] } } =
    data;
  const leadsOn = action || retryUrl !== undefined || code === "frame_refused";
  return [
    ...hasReloadLink(data) ? [RELOAD] : [],
    ...mayReload && ERRORS[code].passes === "by_itself" ? [WAIT] : [],
    ...ancestors.length > 0 ? [TELL] : [],
    ...leadsOn ? [KEEP_FRAGMENT] : [],
  ];
}

/** True if its visitor may reload the page: if the same request may be answered otherwise later. */
function hasReloadLink(
  { code, mayReload, mayRetry = mayReload, advice }: ErrorPageData,
): boolean {
  return mayRetry && ERRORS[code].passes !== "never" &&
    advice.retryUrl === undefined;
}

/** Marks up header names as code, which keeps them from wrapping on a narrow screen, and links our documentation. */
function withMarkup(text: string, { docsUrl }: ErrorPageData): string {
  const html = escapeHtml(text).replace(/\bX-[A-Za-z-]+/g, "<code>$&</code>");
  return docsUrl === undefined
    ? html
    : html.replace(/\/docs\b/, tabLink(docsUrl, "/docs"));
}

/** A link to a tab of its own: the page may be a frame, or reload. */
function tabLink(url: string, html: string): string {
  return `<a href="${
    escapeHtml(url)
  }" target="_blank" rel="noopener">${html}</a>`;
}

/** Leads to what `/docs` says of the code, which may wrap after its underscores. */
function codeLink({ code, docsUrl }: ErrorPageData): string {
  const html = `<code>${code.replaceAll("_", "_<wbr>")}</code>`;
  return docsUrl === undefined ? html : tabLink(`${docsUrl}#${code}`, html);
}

function retryLink(data: ErrorPageData): string {
  const { code, retryAfterSec, advice: { retryUrl, action } } = data;
  if (code === "frame_refused") {
    // Empty: the page's own address.
    return '\n<p><a class="button" href="" data-here target="_blank" rel="noopener">Open it in a new tab</a></p>';
  }
  if (retryUrl === undefined) {
    if (!hasReloadLink(data)) return homeLink(data);
    const classes = action ? "button quiet" : "button";
    const waitSec = ERRORS[code].status === 429 ? retryAfterSec : undefined;
    return `\n<p>${reloadLink(classes, waitSec)}</p>`;
  }
  const { retry = "Try again" } = errorText(code);
  const name = retry.replace("{host}", () => new URL(retryUrl).host);
  return `\n<p><a class="button" href="${escapeHtml(retryUrl)}" data-here>${
    escapeHtml(name)
  }</a></p>`;
}

function homeLink({ homeUrl }: ErrorPageData): string {
  return homeUrl === undefined
    ? ""
    : `\n<p><a class="button" href="${homeUrl}">Open a preview</a></p>`;
}

/** What the visitor's own login and address say, and nothing else: whether there is such a sandbox, not everybody may know. */
function facts(
  { port, name, sandbox, advice }: ErrorPageData,
): string {
  const { user, endedAt, frameCause } = advice;
  const Ended = endedAt && new Date(endedAt).toUTCString();
  const known = {
    "Logged in as": user,
    Ended,
    Name: name,
    Sandbox: sandbox,
    Port: port,
    Cause: frameCause,
  };
  return Object.entries(known)
    .map(([name, value]) =>
      value === undefined
        ? ""
        : `\n<dt>${name}</dt><dd class="name">${escapeHtml(`${value}`)}</dd>`
    ).join("");
}

/** The sandbox's state in Daytona's own words, by which people find it in the dashboard and in documents. */
function sandboxState({ code, advice: { sandbox } }: ErrorPageData): string {
  if (sandbox === undefined) return "";
  const { state, desiredState } = sandbox;
  // What is under way leads there, as the state says by itself.
  const goal = ERRORS[code].stage === "starting" && /ing/.test(state)
    ? "started"
    : state.replace(/ing$/, "ed");
  const next = desiredState === null || desiredState === goal
    ? ""
    : `; <code>${escapeHtml(desiredState)}</code> is wanted`;
  return `\n<dt>State</dt><dd><code id="state">${
    escapeHtml(state)
  }</code>${next}</dd>`;
}

function errorReason({ advice: { sandbox } }: ErrorPageData): string {
  const reason = sandbox?.errorReason ?? null;
  return reason === null
    ? ""
    : `\n<p>Daytona says:</p>\n<pre class="prose">${escapeHtml(reason)}</pre>`;
}

function dashboardLink({ code, dashboardUrl }: ErrorPageData): string {
  return dashboardUrl === undefined || ERRORS[code].help !== "dashboard"
    ? ""
    : `\n<p>${tabLink(dashboardUrl, "Open Daytona’s dashboard")}</p>`;
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
  { code, port, docsUrl, ownersViewUrl }: ErrorPageData,
): string {
  const isAboutApp = port !== undefined && port !== TOOLBOX_PORT;
  if (docsUrl === undefined || !isAboutApp || ERRORS[code].help !== "apps") {
    return "";
  }
  const links = [tabLink(`${docsUrl}/apps`, "what apps receive here")];
  if (ownersViewUrl !== undefined) {
    links.push(tabLink(ownersViewUrl, "the requests to this sandbox"));
  }
  return `\n<p class="note">For the app’s developer: ${links.join(", ")}</p>`;
}
