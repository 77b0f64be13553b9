/** What becomes of a token in an address: a session, and the same address without it. */
import { sessionFor } from "../auth/grants.ts";
import type { SessionSealer } from "../auth/session.ts";
import type { Admission } from "../auth/verdict.ts";
import { isFramed } from "../http/fetch_metadata.ts";
import { redirect } from "../pages/redirect.ts";
import type { ExchangeServices } from "./exchange_services.ts";
import type { OpenedLinks } from "./opened_links.ts";
import type { PreviewExchange } from "./preview_route.ts";

export interface TokenRedirectParts
  extends Pick<ExchangeServices, "scheme" | "cookies" | "now"> {
  readonly sessionTtlMs: number;
  readonly sessions: Pick<SessionSealer, "seal">;
  readonly openedLinks: Pick<OpenedLinks, "add">;
}

/**
 * Redirects to the same address without the preview token, which the app's scripts could otherwise read, whichever
 * credential was used. If it was that token, it becomes a session.
 */
export async function redirectWithoutToken(
  x: PreviewExchange,
  admission: Admission,
  parts: TokenRedirectParts,
): Promise<Response> {
  const { received: { authority, headers }, route: { appTarget } } = x;
  const setCookie = await sessionOf(x, admission, parts);
  if (setCookie !== undefined) parts.openedLinks.add(x);
  const setCookies = setCookie === undefined ? [] : [setCookie];
  // Absolute: a target of `//elsewhere/` must stay a path of this host.
  const location = `${parts.scheme}://${authority}${appTarget}`;
  // The session will count in a frame only if the page around it is known then, too.
  const policy = isFramed(headers) ? "strict-origin" : undefined;
  return redirect(303, location, setCookies, policy);
}

/** The Set-Cookie value of a session that stands for the token that admitted; undefined if that was something else. */
async function sessionOf(
  { route: { host, grantInQuery } }: PreviewExchange,
  { credential, grant }: Admission,
  { cookies, sessions, sessionTtlMs, now }: TokenRedirectParts,
): Promise<string | undefined> {
  if (credential?.kind === "auth_key") {
    const sealed = await sessions.seal({
      kind: "key",
      sandboxId: host.label,
      name: host.name,
      token: credential.token,
      expiresAt: now() + sessionTtlMs,
    });
    const maxAgeSec = Math.floor(sessionTtlMs / 1000);
    return cookies.hostOnly(cookies.previewTokenSession, sealed, maxAgeSec);
  }
  if (grant === undefined || credential?.kind !== "grant") return undefined;
  // It may last: the grant is asked about each time.
  const sealed = await sessions.seal(sessionFor(grant, host));
  const maxAgeSec = Math.ceil((grant.expiresAt - now()) / 1000);
  return grantInQuery.cookie === "none"
    ? cookies.hostOnlyInFrames(cookies.grantSession, sealed, maxAgeSec)
    : cookies.hostOnly(cookies.grantSession, sealed, maxAgeSec);
}
