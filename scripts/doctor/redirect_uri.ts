import type { OpenidProvider } from "../../src/auth/oidc/provider.ts";
import { ask, type Reply } from "./ask.ts";
import { type Finding, findingsOf } from "./finding.ts";
import { attemptFor } from "./provider.ts";
import { originOf, type PublicBase } from "./public_base.ts";
import type { World } from "./world.ts";

const { ok, warning, failed, skipped } = findingsOf("redirect URI");

/** Errors that only mean that a user would have to interact (OpenID Connect Core 1.0 section 3.1.2.6). */
const INTERACTION_ERRORS: ReadonlySet<string> = new Set([
  "login_required",
  "interaction_required",
  "account_selection_required",
  "consent_required",
]);

// Error pages are written for people, and every provider words them differently. A page may also quote the request,
// which contains `client_id=` and `redirect_uri=`.
const CLIENT_UNKNOWN =
  /invalid_client|(?:unknown|invalid) (?:client|application)|(?:client|application)\b.{0,80}\b(?:unknown|invalid|not (?:be )?found)/i;
const URI_UNKNOWN =
  /redirect[_ ]?ur[il]s?(?!=|%3d|\w)|callback url|reply (?:url|address)/i;

/** Starts a login without interaction (`prompt=none`); the provider validates the redirect URI first. */
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

/** Judges the redirect URI by the reply to an authorization request; `skipped` if that is inconclusive. */
export function judgeRedirectUri(redirectUri: string, reply: Reply): Finding {
  const hint = `Register ${redirectUri} with the provider.`;
  if (!reply.answered) {
    return skipped(
      `Cannot check whether ${redirectUri} is registered: ${reply.reason}.`,
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
    return error === null || INTERACTION_ERRORS.has(error)
      ? ok(`${redirectUri} is registered with the provider.`)
      : warning(
        `${redirectUri} is registered, but the provider answers a login with ${error}: ${
          location.searchParams.get("error_description") ?? "no reason given"
        }.`,
        "Check OIDC_SCOPE and OIDC_AUDIENCE, and what the provider permits this client.",
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
    `The provider's answer (status ${status}) does not tell whether ${redirectUri} is registered.`,
    hint,
  );
}
