/**
 * The two addresses of a provider that browsers reach at another one than this process does, as in a container network.
 * Its metadata uses one of them throughout: Dex's the one for browsers, for example.
 */
import { withoutTrailingSlashes } from "../../http/url.ts";
import type { OidcSettings } from "../../resolver/remote_settings.ts";

/** The issuer as this process reaches it and, if that differs, as browsers do. */
type IssuerAddresses = Pick<OidcSettings, "issuer" | "publicIssuer">;

/** True if `issuer`, as metadata names it, is that provider; a trailing slash is ignored, as it is easy to get wrong. */
export function isIssuer(
  issuer: string,
  { issuer: internal, publicIssuer = internal }: IssuerAddresses,
): boolean {
  return [internal, publicIssuer].map(withoutTrailingSlashes)
    .includes(withoutTrailingSlashes(issuer));
}

/** An endpoint as browsers reach it. */
export function publicEndpoint(
  endpoint: string,
  { issuer, publicIssuer = issuer }: IssuerAddresses,
): string {
  return rebased(endpoint, issuer, publicIssuer);
}

/** An endpoint as this process reaches it. */
export function internalEndpoint(
  endpoint: string,
  { issuer, publicIssuer = issuer }: IssuerAddresses,
): string {
  return rebased(endpoint, publicIssuer, issuer);
}

/** An endpoint below `from` moved to the same path below `to`; any other is unchanged. */
function rebased(endpoint: string, from: string, to: string): string {
  const base = withoutTrailingSlashes(from);
  const rest = endpoint.slice(base.length);
  return endpoint.startsWith(base) && (rest === "" || rest.startsWith("/"))
    ? withoutTrailingSlashes(to) + rest
    : endpoint;
}
