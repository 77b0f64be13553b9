/**
 * The question before a browser first shows a preview: whether its visitor trusts it. It is asked before anything is
 * looked up, and of every host alike, so it tells nobody whether there is such a sandbox.
 *
 * Nothing that runs scripts as the app may be shown before the answer, since such a script could give it. So every
 * navigation is asked, in frames, objects and prefetches too, and also a form that another site posts.
 */
import type { Fields } from "../lib/fields.ts";
import type { PreviewHost } from "../address/preview_host.ts";
import { sameHostTarget } from "../address/same_host_target.ts";
import { isAlwaysPrivate } from "../address/sandbox_ref.ts";
import { cookieValues } from "../auth/cookies.ts";
import type { OwnCookies } from "../auth/own_cookies.ts";
import { GatewayError } from "../errors.ts";
import { isSameOriginRequest, wantsDocument } from "../lib/fetch_metadata.ts";
import type { Sealer } from "../lib/seal.ts";
import {
  ACCEPT_PATH,
  REDIRECT_FIELD,
  WARNING_POLICY,
  warningPage,
} from "../pages/warning_page.ts";
import { gatherBody } from "../proxy/gather_body.ts";
import { isWebSocketRequest, type PreviewExchange } from "./exchange.ts";
import { OWN_ANSWER_FIELDS } from "./problem.ts";
import { redirect } from "./redirect.ts";

/** Asks before a preview is shown, and remembers the answer. */
export interface Warning {
  /**
   * The answer instead of the app's: the page, or the redirect after its acceptance; undefined where the request goes
   * on.
   *
   * @throws {GatewayError} `cross_site_request` for an acceptance that the page itself did not send
   */
  intercept(exchange: WarnedExchange): Promise<Response | undefined>;
}

/** What is looked at of a request to a preview host. */
export type WarnedExchange = Pick<
  PreviewExchange,
  "request" | "method" | "headers" | "authority" | "target" | "host"
>;

/** Parts of the warning. */
export interface WarningOptions {
  readonly scheme: "http" | "https";
  readonly cookies: Pick<OwnCookies, "warningAccepted" | "hostOnlyInFrames">;
  /** Of a purpose of its own. */
  readonly sealer: Sealer;
  readonly now: () => number;
  /** How long the form of an acceptance may take to arrive, ms; {@linkcode FORM_TIMEOUT_MS} unless given. */
  readonly formTimeoutMs?: number;
}

/** How long a form may take to arrive, ms. */
const FORM_TIMEOUT_MS = 10_000;

/** How long an acceptance is remembered, ms. */
const ACCEPTANCE_TTL_MS = 24 * 60 * 60 * 1000;

/**
 * How many cookies of the name are opened. Over http an app's script can plant more, to be sent before ours, which is
 * at `/` and so among the last (RFC 6265bis section 5.8.3).
 */
const MAX_COOKIES = 8;

/**
 * Status 200, as from Daytona's proxy: an error page would be replaced by whatever in front shows error pages of its
 * own, and nobody could accept. The field tells it from the app's; only what looks like a browser ever gets it.
 */
const PAGE_FIELDS: Readonly<Record<string, string>> = {
  ...OWN_ANSWER_FIELDS,
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": WARNING_POLICY,
  // With no-referrer a browser would send the form with `Origin: null`.
  "referrer-policy": "same-origin",
  "x-porthole-warning": "1",
};

/** Creates the warning; call it only where the feature is on, for then {@linkcode ACCEPT_PATH} is not the app's. */
export function createWarning(
  { scheme, cookies, sealer, now, formTimeoutMs = FORM_TIMEOUT_MS }:
    WarningOptions,
): Warning {
  /** Opened at each navigation anew, unlike a session: those are few. */
  async function isAccepted(
    { headers, host }: WarnedExchange,
  ): Promise<boolean> {
    const sealed = cookieValues(
      headers.get("cookie") ?? "",
      cookies.warningAccepted,
    ).slice(-MAX_COOKIES);
    for (const value of sealed) {
      if ((await sealer.open(value))?.host === nameOf(host)) return true;
    }
    return false;
  }

  async function accept(
    exchange: WarnedExchange,
    origin: string,
  ): Promise<Response> {
    if (isSameOriginRequest(exchange.headers, origin) !== true) {
      throw new GatewayError("cross_site_request", "Acceptance from elsewhere");
    }
    const target =
      sameHostTarget(await redirectField(exchange, formTimeoutMs), origin) ??
        "/";
    const sealed = await sealer.seal(
      { host: nameOf(exchange.host) },
      now() + ACCEPTANCE_TTL_MS,
    );
    return redirect(303, origin + target, [
      cookies.hostOnlyInFrames(
        cookies.warningAccepted,
        sealed,
        ACCEPTANCE_TTL_MS / 1000,
      ),
    ]);
  }

  return {
    async intercept(exchange) {
      const { method, headers, host, target } = exchange;
      const origin = `${scheme}://${exchange.authority.toLowerCase()}`;
      if (
        method === "POST" && !isAlwaysPrivate(host.port) &&
        splitQuery(target).path === ACCEPT_PATH
      ) return await accept(exchange, origin);
      const request = { method, headers, port: host.port, origin };
      if (!wantsWarning(request) || await isAccepted(exchange)) {
        return undefined;
      }
      const isFramed = /^i?frame$/.test(headers.get("sec-fetch-dest") ?? "");
      const page = { host: nameOf(host), url: origin + target, isFramed };
      return new Response(warningPage(page), { headers: PAGE_FIELDS });
    },
  };
}

/** What {@linkcode wantsWarning} looks at. */
export interface WarningRequest {
  readonly method: string;
  readonly headers: Fields;
  readonly port: number;
  /** The preview host's own, lower case. */
  readonly origin: string;
}

/** Whether a browser is about to show the answer to somebody who may have to be asked first. */
export function wantsWarning(request: WarningRequest): boolean {
  const { method, headers } = request;
  return !isAlwaysPrivate(request.port) &&
    headers.get("x-daytona-skip-preview-warning") !== "true" &&
    mayNavigate(request) && isForBrowserWindow(headers) &&
    !isWebSocketRequest(method, headers);
}

/** A page that posts its own form has been accepted, if longer than a day ago: the form would be lost. */
function mayNavigate({ method, headers, origin }: WarningRequest): boolean {
  return method === "GET" || method === "HEAD" ||
    method === "POST" && isSameOriginRequest(headers, origin) === false;
}

function isForBrowserWindow(headers: Fields): boolean {
  // Kept to be shown later, without another request.
  if (/\bprefetch\b/.test(headers.get("sec-purpose") ?? "")) return true;
  // Older browsers, and all of them over plain http, send no Fetch Metadata; some API clients accept HTML.
  return wantsDocument(headers) &&
    (headers.has("sec-fetch-mode") ||
      /^Mozilla\//.test(headers.get("user-agent") ?? ""));
}

/** Where to go on to, from the query as in Daytona's proxy, or from our page's form, which stays out of others' logs. */
async function redirectField(
  { target, headers, request }: WarnedExchange,
  timeoutMs: number,
): Promise<string> {
  const inQuery = new URLSearchParams(splitQuery(target).query)
    .get(REDIRECT_FIELD);
  if (inQuery !== null) return inQuery;
  // No body is read whose end is not in sight.
  const length = headers.get("content-length") ?? "";
  if (!/^[0-9]{1,5}$/.test(length) || request.body === null) return "";
  const form = await gatherBody(request.body, timeoutMs)
    .catch(() => new Uint8Array()); // the client has left
  if (form instanceof ReadableStream) {
    await form.cancel();
    throw new GatewayError("upload_stalled", "No form in time");
  }
  return new URLSearchParams(new TextDecoder().decode(form))
    .get(REDIRECT_FIELD) ?? "";
}

function splitQuery(target: string): { path: string; query: string } {
  const at = target.indexOf("?");
  return at < 0
    ? { path: target, query: "" }
    : { path: target.slice(0, at), query: target.slice(at + 1) };
}

/** A preview host's canonical name, without the port that browsers know it by, as cookies have it. */
function nameOf({ port, label, base }: PreviewHost): string {
  return `${port}-${label}.${base}`;
}
