import type { OpenidProvider } from "../../src/auth/oidc/provider.ts";
import { ask, type Reply } from "./ask.ts";
import { type Finding, findingsOf } from "./finding.ts";
import { attemptFor } from "./provider.ts";
import { originOf, type PublicBase } from "./public_base.ts";
import type { World } from "./world.ts";

const { ok, warning, failed, skipped } = findingsOf("redirect URI");

/** The errors by which a provider says no more than that somebody has to be there (OpenID Connect Core section 3.1.2.6). */
const NOBODY_THERE: ReadonlySet<string> = new Set([
  "login_required",
  "interaction_required",
  "account_selection_required",
  "consent_required",
]);

// Error pages are for people, so every provider has words of its own. Such a page may quote the request, which holds
// `client_id=` and `redirect_uri=`.
const CLIENT_UNKNOWN =
  /invalid_client|(?:unknown|invalid) (?:client|application)|(?:client|application)\b.{0,80}\b(?:unknown|invalid|not (?:be )?found)/i;
const URI_UNKNOWN =
  /redirect[_ ]?ur[il]s?(?!=|%3d|\w)|callback url|reply (?:url|address)/i;

/** Begins a login that needs nobody (`prompt=none`) at the provider, which looks at the redirect URI first. */
export async function checkRedirectUri(
  base: PublicBase,
  provider: OpenidProvider,
  world: World,
): Promise<Finding> {
  const redirectUri = `${originOf(base)}/callback`;
  const url = new URL(
    await provider.authorizationUrl(attemptFor(redirectUri)),
  );
  url.searchParams.set("prompt", "none");
  return judgeRedirectUri(redirectUri, await ask(url.href, world));
}

/** What the reply to an authorization request says of the redirect URI; where it says nothing, neither do we. */
export function judgeRedirectUri(redirectUri: string, reply: Reply): Finding {
  const hint = `Register ${redirectUri} at the provider.`;
  if (!reply.answered) {
    return skipped(
      `Whether ${redirectUri} is registered could not be asked: ${reply.reason}.`,
      hint,
    );
  }
  const { status, headers, text } = reply;
  const location = URL.parse(headers.get("location") ?? "");
  if (
    status >= 300 && status < 400 && location !== null &&
    location.origin + location.pathname === redirectUri
  ) {
    const error = location.searchParams.get("error");
    return error === null || NOBODY_THERE.has(error)
      ? ok(`${redirectUri} is registered at the provider.`)
      : warning(
        `${redirectUri} is registered, but the provider answers a login with ${error}: ${
          location.searchParams.get("error_description") ?? "no reason given"
        }.`,
        "Check OIDC_SCOPE and OIDC_AUDIENCE, and what the provider allows the client.",
      );
  }
  if (status >= 400 && status < 500 && CLIENT_UNKNOWN.test(text)) {
    return failed(
      "The provider does not know the client.",
      "Check OIDC_CLIENT_ID, or the client id in the API's configuration.",
    );
  }
  if (status >= 400 && status < 500 && URI_UNKNOWN.test(text)) {
    return failed(`The provider does not accept ${redirectUri}.`, hint);
  }
  return skipped(
    `Whether ${redirectUri} is registered, the provider's answer (status ${status}) does not tell.`,
    hint,
  );
}
