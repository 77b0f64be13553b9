/**
 * The page that says what an app is told of its visitor besides a pseudonym, before it is told: once for each preview
 * host, to whoever opens that in a window. Until then, and in frames, the pseudonym is all.
 */
import main from "../../../gen/text/features/identity/notice.html.ts";
import { previewAuthority, previewOrigin } from "../../address/preview_host.ts";
import { GatewayError } from "../../errors.ts";
import type { FeatureParts } from "../../gateway/feature_module.ts";
import type { PreviewExchange } from "../../gateway/sandbox_exchange.ts";
import { cookieValues } from "../../http/cookies.ts";
import * as intent from "../../http/fetch_metadata.ts";
import { withParameter } from "../../http/query_parameter.ts";
import { joinParts } from "../../lib/digest.ts";
import { SecretHashes } from "../../lib/secret_hashes.ts";
import { FRAGMENT_KEEPER, KEEP_FRAGMENT } from "../../pages/fragment.ts";
import { escapeHtml, filled } from "../../pages/html.ts";
import { page, PAGE_POLICY } from "../../pages/page.ts";
import { OWN_ANSWER_HEADERS } from "../../pages/problem.ts";
import { redirect } from "../../pages/redirect.ts";
import { withScripts } from "../../pages/script.ts";
import type { Visitor } from "./visitor.ts";

/** The query parameter of the address that the page's form is sent to. */
export const NOTICE_PARAMETER = "PORTHOLE_IDENTITY_TOLD";

/** For how long a browser remembers, seconds. */
const TOLD_SEC = 180 * 86_400;

/** Headers of the page. */
export const NOTICE_HEADERS = {
  ...OWN_ANSWER_HEADERS,
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": withScripts(
    `${PAGE_POLICY}; frame-ancestors 'none'`,
    [KEEP_FRAGMENT],
  ),
  // With no-referrer a browser would send the form with `Origin: null`.
  "referrer-policy": "same-origin",
};

/** True for the form of the page. */
export function isAnswer(x: PreviewExchange): boolean {
  return x.method === "POST" && x.ownParameters.has(NOTICE_PARAMETER);
}

/** Creates what shows the page, and knows who has read it, by cookies with a keyed hash. */
// deno-lint-ignore explicit-module-boundary-types -- its functions, by their names
export function createNotices({ config, scheme, cookies }: FeatureParts) {
  const hashes = new SecretHashes(config.session.secrets, "identity-notice");

  /** What was read by whom, where. */
  function markOf({ host }: PreviewExchange, { who, claims }: Visitor) {
    const told = Object.keys(claims).join();
    const parts = [previewAuthority(host), told, ...who];
    return new TextEncoder().encode(joinParts(parts));
  }

  return {
    /** True if a visitor has read what this preview host is told of them, or that is nothing. */
    isRead(x: PreviewExchange, visitor: Visitor): boolean {
      if (Object.keys(visitor.claims).length === 0) return true;
      const header = x.headers.get("cookie") ?? "";
      const sent = cookieValues(header, cookies.identityTold).at(-1);
      return sent !== undefined && hashes.match(markOf(x, visitor), sent);
    },

    /** The page; undefined for what a browser does not say to show in a window. */
    pageFor(x: PreviewExchange, { claims }: Visitor): Response | undefined {
      const { method, headers, host, appTarget } = x;
      const isVisit = intent.isNavigation(method, headers);
      if (!isVisit || !intent.isWindow(headers)) return undefined;
      x.note = "identity notice";
      const url = previewOrigin(host, scheme) + appTarget;
      const action = withParameter(url, NOTICE_PARAMETER, "1");
      const html = noticePage(previewAuthority(host), action, claims);
      return new Response(html, { headers: NOTICE_HEADERS });
    },

    /**
     * Leads on to where the visitor wanted; from now on, the page is read, if it was for somebody.
     * @throws {GatewayError} `cross_site_request` unless the page itself has sent its form
     */
    answer(x: PreviewExchange, visitor: Visitor | undefined): Response {
      const origin = previewOrigin(x.host, scheme);
      const isOwn = intent.isSameOriginRequest(x.headers, origin) === true;
      if (!isOwn || !intent.isWindow(x.headers)) {
        throw new GatewayError("cross_site_request", "Not sent by the notice");
      }
      const location = origin + x.appTarget;
      if (visitor === undefined) return redirect(303, location);
      const mark = hashes.of(markOf(x, visitor));
      const cookie = cookies.hostOnly(cookies.identityTold, mark, TOLD_SEC);
      return redirect(303, location, [cookie]);
    },
  };
}

/** Renders the page as an HTML document; its form is sent to `action`. */
export function noticePage(
  host: string,
  action: string,
  claims: Visitor["claims"],
): string {
  const told = Object.values(claims).flat().map(escapeHtml);
  const shown = filled(main, {
    host: escapeHtml(host),
    action: escapeHtml(action),
    told: told.map((each) => `<li>${each}</li>`).join(""),
  });
  return page(`What ${host} is told of you`, shown + FRAGMENT_KEEPER);
}
