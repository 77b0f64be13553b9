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
export interface ProblemOptions {
  readonly code: ErrorCode;
  /** The port of the sandbox, if the error is about one. */
  readonly port?: number | undefined;
  /** The sandbox as the client has named it, if that is no secret. */
  readonly sandbox?: string | undefined;
  readonly requestId: string;
  /** True if the client will show the response as a document. */
  readonly asPage: boolean;
  /** True if a page may reload its URL by itself; false by default, since no form may be sent twice. */
  readonly mayReload?: boolean;
  /** True if its visitor may reload it; as `mayReload` by default. */
  readonly mayRetry?: boolean;
  /** The Retry-After, seconds; that of the code by default. */
  readonly retryAfterSec?: number | undefined;
  readonly advice?: ErrorAdvice;
  /** Where `/docs` is served, which describes the codes; undefined if that is not known. */
  readonly docsUrl?: string | undefined;
  /** Where the sandbox's owner sees the requests to it. */
  readonly inspectUrl?: string | undefined;
  /** Where people see their sandboxes. */
  readonly dashboardUrl?: string | undefined;
}

/** Headers of all responses of our own: they are never stored or sniffed, and their URL is never sent as a referrer. */
export const OWN_ANSWER_HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "vary": "Accept, Authorization, Cookie, Origin, Sec-Fetch-Mode",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

/**
 * The headers that a status requires: a 401 the scheme (RFC 6750 section 3), a 405 the allowed methods, and a 426 the
 * protocol (RFC 9110 sections 15.5.6 and 15.5.22).
 */
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
  const { code, port, requestId, asPage } = options;
  const { mayReload = false, advice = {}, docsUrl } = options;
  const { status, daytonaCode = code } = ERRORS[code];
  const { retryAfterSec = ERRORS[code].retryAfterSec } = options;
  const headers = [
    ...Object.entries({
      ...OWN_ANSWER_HEADERS,
      ...requiredHeaders(code),
      // With no-referrer a browser would send the form with `Origin: null`.
      ...(asPage && advice.action ? { "referrer-policy": "same-origin" } : {}),
      ...(retryAfterSec === undefined
        ? {}
        : { "retry-after": String(retryAfterSec) }),
      "x-porthole-error": code,
      "x-request-id": requestId,
      ...(advice.sandbox === undefined
        ? {}
        : { "x-daytona-sandbox-state": advice.sandbox.state }),
    }),
    ...(advice.headers ?? []).map(([name, value]) => [name, value]),
  ];
  if (asPage) {
    const data = { ...options, mayReload, retryAfterSec, advice };
    return new Response(errorPage(data), {
      status,
      headers: [
        ...headers,
        ["content-type", "text/html; charset=utf-8"],
        ["content-security-policy", policyOf(data)],
      ],
    });
  }
  const { title, detail, hint } = errorText(code, port);
  const body = {
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
    ...advice.sandbox === undefined ? {} : stateMembers(advice.sandbox),
  };
  return new Response(JSON.stringify({ ...body, requestId }), {
    status,
    headers: [...headers, ["content-type", "application/problem+json"]],
  });
}
