/** Every answer that is ours: a problem document (RFC 9457), or a page where a browser is about to show it. */
import { ERROR_STATUS, type ErrorCode } from "../errors.ts";
import { errorPage } from "../pages/error_page.ts";
import { PAGE_POLICY } from "../pages/page.ts";
import { ERROR_TEXTS } from "../pages/error_texts.ts";

/** What a problem says beside its code. */
export interface ProblemOptions {
  readonly code: ErrorCode;
  readonly requestId: string;
  /** Whether the client shows the answer as a document. */
  readonly asPage: boolean;
  /** Whether a page may ask for its address again by itself: no form is sent twice. */
  readonly mayReload?: boolean;
  /** Seconds; becomes Retry-After. */
  readonly retryAfterSec?: number | undefined;
}

/** Fields of all answers that are ours: never stored, never sniffed, their address never passed on. */
export const OWN_ANSWER_FIELDS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "vary": "Accept, Authorization, Cookie, Origin, Sec-Fetch-Mode",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

/**
 * What some statuses must say: a 401 its scheme (RFC 6750 section 3), a 405 the methods there are, a 426 its protocol
 * (RFC 9110 sections 15.5.6 and 15.5.22).
 */
function fieldsOf(code: ErrorCode): Record<string, string> {
  switch (ERROR_STATUS[code]) {
    case 401: {
      const error = code === "login_required" ? "" : ', error="invalid_token"';
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

/** Seconds after which what is unavailable is worth another try. */
const RETRY_AFTER_SEC = 2;

/** The response for an error code. */
export function problem(options: ProblemOptions): Response {
  const { code, requestId, asPage, mayReload = false } = options;
  const status = ERROR_STATUS[code];
  const retryAfterSec = options.retryAfterSec ??
    (status === 503 ? RETRY_AFTER_SEC : undefined);
  const headers = {
    ...OWN_ANSWER_FIELDS,
    ...fieldsOf(code),
    ...(retryAfterSec === undefined
      ? {}
      : { "retry-after": String(retryAfterSec) }),
    "x-porthole-error": code,
    "x-request-id": requestId,
  };
  if (asPage) {
    return new Response(errorPage({ code, status, requestId, mayReload }), {
      status,
      headers: {
        ...headers,
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": PAGE_POLICY,
      },
    });
  }
  const { title, detail, hint } = ERROR_TEXTS[code];
  const body = {
    type: "about:blank",
    title,
    status,
    detail,
    message: detail, // where Daytona's own clients look
    hint,
    code,
  };
  return new Response(JSON.stringify({ ...body, requestId }), {
    status,
    headers: { ...headers, "content-type": "application/problem+json" },
  });
}
