/** The gateway's own error responses: a problem document (RFC 9457), or a page if a browser is about to show it. */
import { type ErrorCode, ERRORS } from "../error_codes.ts";
import type { ErrorAdvice, SandboxAdvice } from "../errors.ts";
import {
  errorPage,
  type ErrorPageData,
  errorPageScripts,
} from "./error_page.ts";
import { errorText } from "./error_texts.ts";
import { PAGE_POLICY } from "./page.ts";
import { withScripts } from "./script.ts";
import { WAIT } from "./waiting.ts";

/** The content of an error response. */
export interface ProblemOptions
  extends Omit<ErrorPageData, "mayReload" | "retryAfterSec" | "advice"> {
  /** True if the client will show the response as a document. */
  readonly asPage: boolean;
  /** False by default, since no form may be sent twice. */
  readonly mayReload?: boolean;
  /** The Retry-After, seconds; that of the code by default. */
  readonly retryAfterSec?: number | undefined;
  readonly advice?: ErrorAdvice;
}

/** Headers of all responses of our own: they are never stored or sniffed, and their URL is never sent as a referrer. */
export const OWN_ANSWER_HEADERS:
  & Readonly<Record<string, string>>
  & { readonly vary: string } = {
    "cache-control": "no-store",
    "vary": "Accept, Authorization, Cookie, Origin, Sec-Fetch-Mode",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
  };

/** What a page has to say in a frame of a page that is isolated, or the browser shows nothing (HTML, section 7.1.4). */
export const IN_ISOLATED_FRAMES = {
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "cross-origin",
};

/** The headers that a status requires (RFC 6750 section 3; RFC 9110 sections 15.5.6 and 15.5.22). */
function requiredHeaders(code: ErrorCode): Record<string, string> {
  const { status, credential } = ERRORS[code];
  switch (status) {
    case 401: {
      const error = credential === "missing" ? "" : ', error="invalid_token"';
      return { "www-authenticate": `Bearer realm="preview"${error}` };
    }
    case 405:
      return { "allow": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" };
    case 426:
      return { "upgrade": "websocket", "sec-websocket-version": "13" };
    default:
      return {};
  }
}

/** What a program reads of a sandbox's state; what does not apply is left out. */
function stateMembers(
  { state, desiredState, recoverable, errorReason }: SandboxAdvice,
): Record<string, unknown> {
  return {
    state,
    ...desiredState === null ? {} : { desiredState },
    ...state === "error" ? { recoverable } : {},
    ...errorReason === null ? {} : { errorReason },
  };
}

function policyOf(data: ErrorPageData): string {
  const policy = data.advice.action?.policy ?? PAGE_POLICY;
  const scripts = errorPageScripts(data);
  // A page that waits looks at its own address.
  return withScripts(
    scripts.includes(WAIT) ? `${policy}; connect-src 'self'` : policy,
    scripts,
  );
}

/** The response for an error code. */
export function problem(options: ProblemOptions): Response {
  const { code, requestId, asPage, mayReload = false, advice = {} } = options;
  const { retryAfterSec = ERRORS[code].retryAfterSec } = options;
  const headers: Record<string, string> = {
    ...OWN_ANSWER_HEADERS,
    ...requiredHeaders(code),
    "x-porthole-error": code,
    "x-request-id": requestId,
  };
  if (retryAfterSec !== undefined) headers["retry-after"] = `${retryAfterSec}`;
  if (advice.sandbox !== undefined) {
    headers["x-daytona-sandbox-state"] = advice.sandbox.state;
  }
  let body: string;
  if (asPage) {
    const data = { ...options, mayReload, retryAfterSec, advice };
    headers["content-type"] = "text/html; charset=utf-8";
    if (data.given?.varies) {
      headers["vary"] = `${headers["vary"]}, Accept-Language`;
    }
    headers["content-security-policy"] = policyOf(data);
    if (advice.ancestors?.length) Object.assign(headers, IN_ISOLATED_FRAMES);
    if (advice.action) {
      // With no-referrer a browser would send the form with `Origin: null`.
      headers["referrer-policy"] = "same-origin";
      // The app has this origin too: whoever opens the page in a window must not press its button.
      headers["cross-origin-opener-policy"] = "noopener-allow-popups";
    }
    body = errorPage(data);
  } else {
    headers["content-type"] = "application/problem+json";
    body = problemDocument(options);
  }
  const added = (advice.headers ?? []).map(([name, value]) => [name, value]);
  return new Response(body, {
    status: ERRORS[code].status,
    headers: [...Object.entries(headers), ...added],
  });
}

function problemDocument(
  options: ProblemOptions,
): string {
  const { code, requestId, docsUrl, advice } = options;
  const { title, detail, hint } = errorText(code, options);
  const { status, daytonaCode = code } = ERRORS[code];
  return JSON.stringify({
    type: docsUrl === undefined ? "about:blank" : `${docsUrl}#${code}`,
    title,
    status,
    detail,
    hint,
    code: daytonaCode,
    portholeCode: code,
    // Daytona's own clients read these: they show the message alone, and tell errors by source and code.
    message: `${title}. ${detail}`,
    source: "DAYTONA_PROXY",
    ...advice?.sandbox && stateMembers(advice.sandbox),
    ...advice?.errors && { errors: advice.errors },
    loginUrl: advice?.loginUrl,
    cause: advice?.frameCause,
    endedAt: advice?.endedAt && new Date(advice.endedAt).toISOString(),
    requestId,
  });
}
