/**
 * The page that asks, before a browser first shows a preview, whether its visitor trusts it. It precedes every lookup
 * and is the same for every host, so it does not reveal whether there is such a sandbox; where the sandbox's
 * organization decides, only visitors who were admitted get it. Scripts of the app could accept by themselves, so it
 * intercepts every navigation, in frames, objects and prefetches too, and forms that other sites post.
 */
import { appTarget } from "../../address/app_target.ts";
import { isAlwaysPrivate } from "../../address/grammar.ts";
import { hostName, type PreviewHost } from "../../address/preview_host.ts";
import { sameHostTarget } from "../../address/return_url.ts";
import { ownOrigin } from "../../control/route.ts";
import { ownFormField } from "../../downstream/http/form.ts";
import { isWebSocketRequest } from "../../downstream/http/head_limits.ts";
import { GatewayError } from "../../errors.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import type { PreviewExchange } from "../../gateway/preview_route.ts";
import { cookieValues } from "../../http/cookies.ts";
import {
  isSameOriginRequest,
  wantsDocument,
} from "../../http/fetch_metadata.ts";
import type { RequestHeaders } from "../../http/headers.ts";
import { splitQuery } from "../../http/request_url.ts";
import type { Sealer } from "../../lib/seal.ts";
import { OWN_ANSWER_HEADERS } from "../../pages/problem.ts";
import { redirect } from "../../pages/redirect.ts";
import {
  ACCEPT_PATH,
  REDIRECT_FIELD,
  WARNING_POLICY,
  warningPage,
} from "./warning_page.ts";

export type WarnedExchange = Pick<PreviewExchange, "reply" | "progress"> & {
  readonly received: Pick<
    PreviewExchange["received"],
    "method" | "headers" | "authority" | "target"
  >;
  readonly route: Pick<PreviewExchange["route"], "host">;
};

/** False only if a sandbox needs no warning; `onMiss` is called before a lookup that goes beyond the process. */
export type Wishes = (
  sandboxId: string,
  onMiss: () => void,
) => Promise<boolean>;

interface WarningOptions
  extends Pick<FeatureParts, "scheme" | "cookies" | "now"> {
  /** Undefined if it is for all sandboxes. */
  readonly wishes: Wishes | undefined;
  readonly sealer: Sealer;
}

const ACCEPTANCE_TTL_MS = 24 * 60 * 60 * 1000;

/**
 * Most cookies of our name that are unsealed. Over http, an app's script can set more of them, which are sent before
 * ours: its path is `/`, so it is among the last (RFC 6265bis section 5.8.3).
 */
const MAX_COOKIES = 8;

/**
 * Sent with status 200, as by Daytona's proxy: one in front may replace error pages, and nobody could accept.
 * `X-Porthole-Warning` tells clients that this page is not the app's.
 */
const PAGE_HEADERS: Readonly<Record<string, string>> = {
  ...OWN_ANSWER_HEADERS,
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": WARNING_POLICY,
  // With no-referrer a browser would send the form with `Origin: null`.
  "referrer-policy": "same-origin",
  "x-porthole-warning": "1",
};

/** Asks, and remembers the acceptance. Only to be created if that is switched on: it takes a path away from the app. */
export class Warning {
  readonly #options: WarningOptions;

  constructor(options: WarningOptions) {
    this.#options = options;
  }

  /**
   * The response before anything is looked up: the page if it is for all sandboxes, or the redirect after its
   * acceptance; undefined if the request may go on.
   * @throws {GatewayError} as the page does, `cross_site_request` for an acceptance that the page itself did not send, `upload_stalled`
   * if its form does not arrive in time
   */
  async intercept(x: WarnedExchange): Promise<Response | undefined> {
    const { received: { method, target }, route: { host } } = x;
    const origin = ownOrigin(x.received, this.#options.scheme);
    if (
      method === "POST" && !isAlwaysPrivate(host.port) &&
      splitQuery(target).path === ACCEPT_PATH
    ) return await this.#accept(x, origin);
    return this.#options.wishes === undefined && await this.#isDue(x, origin)
      ? pageFor(x, origin)
      : undefined;
  }

  /** The page in place of the app's response, if it is for some sandboxes and this is one of them. */
  async interceptAdmitted(x: PreviewExchange): Promise<Response | undefined> {
    const { wishes } = this.#options;
    const origin = ownOrigin(x.received, this.#options.scheme);
    return wishes !== undefined && await this.#isDue(x, origin) &&
        await wishes(x.sandboxId, () => x.progress.onMiss())
      ? pageFor(x, origin)
      : undefined;
  }

  /** Unseals the cookies at every navigation; unlike sessions, these are too rare to be worth a cache. */
  async #isDue(x: WarnedExchange, origin: string): Promise<boolean> {
    const { received: { headers }, route: { host } } = x;
    const { cookies, sealer } = this.#options;
    if (!wantsWarning(x, origin)) return false;
    const sent = headers.get("cookie") ?? "";
    const values = cookieValues(sent, cookies.onHost("warning-accepted"));
    for (const value of values.slice(-MAX_COOKIES)) {
      if ((await sealer.open(value))?.host === previewName(host)) return false;
    }
    return true;
  }

  async #accept(x: WarnedExchange, origin: string): Promise<Response> {
    const { cookies, sealer, now } = this.#options;
    if (isSameOriginRequest(x.received.headers, origin) !== true) {
      throw new GatewayError("cross_site_request", "Acceptance from elsewhere");
    }
    // From the query, as in Daytona's proxy, or from our page's form, which stays out of logs.
    const query = new URLSearchParams(splitQuery(x.received.target).query);
    const requested = query.get(REDIRECT_FIELD) ??
      await ownFormField(x, REDIRECT_FIELD);
    const target = sameHostTarget(requested, origin) ?? "/";
    const expiresAt = now() + ACCEPTANCE_TTL_MS;
    const sealed = await sealer.seal(
      { host: previewName(x.route.host) },
      expiresAt,
    );
    const maxAgeSec = ACCEPTANCE_TTL_MS / 1000;
    return redirect(303, origin + target, [
      cookies.hostOnlyInFrames(
        cookies.onHost("warning-accepted"),
        sealed,
        maxAgeSec,
      ),
    ]);
  }
}

/** @throws {GatewayError} `bad_target` for what leads nowhere, whoever accepts */
function pageFor(x: WarnedExchange, origin: string): Response {
  const { received: { headers, target }, route: { host } } = x;
  if (appTarget("", target) === undefined) {
    throw new GatewayError("bad_target", "Before a warning");
  }
  x.progress.note("warning");
  const isFramed = /^i?frame$/.test(headers.get("sec-fetch-dest") ?? "");
  const page = { host: hostName(host), url: origin + target, isFramed };
  return new Response(warningPage(page), { headers: PAGE_HEADERS });
}

/**
 * True if a browser is about to show the response to somebody who may have to be asked first; `origin` is that of the
 * preview host, in lower case.
 */
export function wantsWarning(
  { received: { method, headers }, route: { host } }: Pick<
    WarnedExchange,
    "received" | "route"
  >,
  origin: string,
): boolean {
  // A page that posts its own form was accepted once, and asking again would lose the form.
  const mayNavigate = method === "GET" || method === "HEAD" ||
    method === "POST" && isSameOriginRequest(headers, origin) === false;
  return mayNavigate && !isAlwaysPrivate(host.port) &&
    headers.get("x-daytona-skip-preview-warning") !== "true" &&
    isForBrowserWindow(headers) && !isWebSocketRequest(method, headers);
}

function isForBrowserWindow(headers: RequestHeaders): boolean {
  // A prefetched response is shown later, without another request.
  if (/\bprefetch\b/.test(headers.get("sec-purpose") ?? "")) return true;
  // Older browsers send no Fetch Metadata, nor does any over plain http; and some API clients accept HTML.
  return wantsDocument(headers) &&
    (headers.has("sec-fetch-mode") ||
      /^Mozilla\//.test(headers.get("user-agent") ?? ""));
}

/** What is accepted on a host: a name that leads elsewhere is asked for anew. Without a port, as cookies know none. */
function previewName({ port, label, base }: PreviewHost): string {
  return `${port}-${label}.${base}`;
}
