/**
 * A provider that browsers reach at another address than this process does, as in a network of containers. Its metadata
 * names one of the two throughout, and which one differs: Dex names what it is configured with, for browsers.
 */
import type { OidcSettings } from "../../directory/installation.ts";

/** The provider's two addresses. */
export type Addresses = Pick<OidcSettings, "issuer" | "publicIssuer">;

function isSame(one: string, other: string): boolean {
  return one.replace(/\/$/, "") === other.replace(/\/$/, "");
}

/** Whether metadata that names `issuer` is that provider's; whether it ends in a slash is what people get wrong. */
export function isIssuer(
  issuer: string,
  { issuer: inner, publicIssuer }: Addresses,
): boolean {
  return isSame(issuer, inner) ||
    publicIssuer !== undefined && isSame(issuer, publicIssuer);
}

/** The endpoint as browsers reach it. */
export function forBrowsers(endpoint: string, addresses: Addresses): string {
  const { issuer, publicIssuer } = addresses;
  return publicIssuer === undefined
    ? endpoint
    : moved(endpoint, issuer, publicIssuer);
}

/** The endpoint as this process reaches it. */
export function forUs(endpoint: string, addresses: Addresses): string {
  const { issuer, publicIssuer } = addresses;
  return publicIssuer === undefined
    ? endpoint
    : moved(endpoint, publicIssuer, issuer);
}

/** The endpoint below `to` instead of `from`; unchanged where it is not below that. */
function moved(endpoint: string, from: string, to: string): string {
  const base = from.replace(/\/$/, "");
  const rest = endpoint.slice(base.length);
  return endpoint.startsWith(base) && (rest === "" || rest.startsWith("/"))
    ? to.replace(/\/$/, "") + rest
    : endpoint;
}
