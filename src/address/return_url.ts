/**
 * Where a login may send its user back to: a preview URL below the very base domain that the login runs on. There is
 * one accepted spelling, the one that the gateway itself makes; nothing is decoded, repaired or guessed, because what
 * a lenient reader takes for a path, a browser may take for a host.
 */
import { parseHost, type PreviewHost } from "./preview_host.ts";
import { mayBeSignedToken } from "./sandbox_ref.ts";

/** Where the login runs. */
export interface ReturnUrlOptions {
  readonly scheme: "http" | "https";
  /** As {@linkcode parseHost} takes them. */
  readonly baseDomains: readonly string[];
  /** `host[:port]` of the base host that was asked. */
  readonly authority: string;
}

/** Outcome of {@linkcode checkReturnUrl}. */
export type ReturnUrlResult =
  | {
    readonly ok: true;
    /** Safe in a Location field: the host rebuilt from its parts, path and query byte for byte. */
    readonly url: string;
    readonly host: PreviewHost;
  }
  | { readonly ok: false };

/** A URL of more characters would not fit into a sealed cookie with the rest of a login. */
export const MAX_RETURN_URL_LENGTH = 2000;

/**
 * Lower-case scheme, an authority without user and of DNS characters only, then an origin-form target of visible ASCII
 * without a fragment (RFC 9112 section 3.2.1).
 */
const URL_FORM =
  /^(https?):\/\/([A-Za-z0-9._-]+(?::[0-9]+)?)(\/[\x21-\x22\x24-\x7e]*)$/;

const REFUSED: ReturnUrlResult = { ok: false };

/** Checks where a login is asked to return to. */
export function checkReturnUrl(
  text: string,
  options: ReturnUrlOptions,
): ReturnUrlResult {
  if (text.length > MAX_RETURN_URL_LENGTH) return REFUSED;
  const [, scheme, authority = "", target] = URL_FORM.exec(text) ?? [];
  if (scheme !== options.scheme) return REFUSED;

  const parsed = parseHost(authority, options.baseDomains);
  if (parsed.kind !== "preview") return REFUSED;
  const { host } = parsed;
  if (host.authoritySuffix !== options.authority.toLowerCase()) return REFUSED;
  // A signed token opens its door or does not: no login can help.
  if (mayBeSignedToken(host.label)) return REFUSED;

  const origin =
    `${scheme}://${host.port}-${host.label}.${host.authoritySuffix}`;
  return { ok: true, url: origin + target, host };
}
