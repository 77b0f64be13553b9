/**
 * Where a login may send its user back to: a preview URL below the same base domain that the login runs on. Only the
 * spelling that the gateway itself produces is accepted. Nothing is decoded, repaired or guessed: what a lenient parser
 * takes for a path, a browser may take for a host.
 */
import { parseHost, type PreviewHost } from "./preview_host.ts";
import { mayBeSignedToken } from "./sandbox_ref.ts";

/** The base host that the login runs on. */
export interface ReturnUrlOptions {
  readonly scheme: "http" | "https";
  /** In the form that {@linkcode parseHost} expects. */
  readonly baseDomains: readonly string[];
  /** `host[:port]` of that base host, as requested. */
  readonly authority: string;
}

/** Outcome of {@linkcode checkReturnUrl}. */
export type ReturnUrlResult =
  | {
    readonly ok: true;
    /** Safe in a Location field: the host is rebuilt from its parts, path and query are kept byte for byte. */
    readonly url: string;
    readonly host: PreviewHost;
  }
  | { readonly ok: false };

/** A longer URL, in characters, would not fit into a sealed cookie along with the rest of the login state. */
export const MAX_RETURN_URL_LENGTH = 2000;

/**
 * A lower-case scheme; an authority of DNS characters only, without userinfo; a target in origin form (RFC 9112 section
 * 3.2.1) of visible ASCII, without a fragment.
 */
const URL_FORM =
  /^(https?):\/\/([A-Za-z0-9._-]+(?::[0-9]+)?)(\/[\x21-\x22\x24-\x7e]*)$/;

const REFUSED: ReturnUrlResult = { ok: false };

/** Checks a URL that a login is asked to return to. */
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
  // A signed token grants access or does not: logging in changes nothing.
  if (mayBeSignedToken(host.label)) return REFUSED;

  const origin =
    `${scheme}://${host.port}-${host.label}.${host.authoritySuffix}`;
  return { ok: true, url: origin + target, host };
}
