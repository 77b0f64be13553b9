/**
 * Places that a request may ask to be led back to: after a login, a preview URL below the base domain that the login
 * runs on; from the gateway's own pages on a preview host, a path of that host. Only the spelling that the gateway
 * itself produces is accepted. Nothing is decoded, repaired or guessed: what a lenient parser takes for a path, a browser
 * may take for a host.
 */
import { LABEL, mayBeSignedToken, TOOLBOX_PORT } from "./grammar.ts";
import { parseHost, type PreviewHost, previewOrigin } from "./preview_host.ts";

/** The base host that the login runs on. */
export interface ReturnUrlOptions {
  readonly scheme: "http" | "https";
  /** In the form that {@linkcode parseHost} expects. */
  readonly baseDomains: readonly string[];
  /** `host[:port]` of that base host, as requested. */
  readonly authority: string;
}

/** A URL that a login may return to. */
export interface ReturnUrl {
  /** Safe in a Location header: the host is rebuilt from its parts, path and query are kept byte for byte. */
  readonly url: string;
  readonly host: PreviewHost;
  /** True for the owner's view of the sandbox, which is on the base host. */
  readonly isOnBase?: true;
}

/** A longer URL, in characters, would not fit into a sealed cookie along with the rest of the login state. */
export const MAX_RETURN_URL_LENGTH = 2000;

/**
 * A lower-case scheme; an authority of DNS characters only, without userinfo; a target in origin form (RFC 9112 section
 * 3.2.1) of visible ASCII, without a fragment.
 */
const URL_FORM =
  /^(https?):\/\/([A-Za-z0-9._-]+(?::[0-9]+)?)(\/[\x21-\x22\x24-\x7e]*)$/;

/** Visible ASCII in origin form: a browser strips tabs and line breaks before it parses a URL. */
const LOCAL_TARGET = /^\/[\x21-\x7e]*$/;

/**
 * Checks a URL that a login is asked to return to; undefined if it may not.
 *
 * @example
 * ```ts
 * const options = {
 *   scheme: "https",
 *   baseDomains: ["preview.example.com"],
 *   authority: "preview.example.com",
 * } as const;
 * checkReturnUrl("https://3000-box.preview.example.com/a?b", options)?.url; // the same URL
 * checkReturnUrl("https://3000-box.preview.example.com@evil.example/", options); // undefined
 * ```
 */
export function checkReturnUrl(
  text: string,
  options: ReturnUrlOptions,
): ReturnUrl | undefined {
  if (text.length > MAX_RETURN_URL_LENGTH) return undefined;
  const [, scheme, authority = "", target] = URL_FORM.exec(text) ?? [];
  if (scheme !== options.scheme) return undefined;

  const parsed = parseHost(authority, options.baseDomains);
  if (parsed.kind === "base") {
    return ownersView(
      authority.toLowerCase(),
      target ?? "",
      parsed.base,
      options,
    );
  }
  if (parsed.kind !== "preview") return undefined;
  const { host } = parsed;
  if (host.authoritySuffix !== options.authority.toLowerCase()) {
    return undefined;
  }
  // A signed token grants access or does not: logging in changes nothing.
  if (mayBeSignedToken(host.label)) return undefined;

  return { url: previewOrigin(host, options.scheme) + target, host };
}

/** A URL that was checked when the login began, if the base domains still lead there; undefined otherwise. */
export function stillReturnUrl(
  url: string,
  baseDomains: readonly string[],
): ReturnUrl | undefined {
  const { host: authority, protocol, pathname } = new URL(url);
  const parsed = parseHost(authority, baseDomains);
  if (parsed.kind === "preview") return { url, host: parsed.host };
  return parsed.kind === "base"
    ? ownersView(authority, pathname, parsed.base, {
      scheme: protocol === "https:" ? "https" : "http",
      authority,
    })
    : undefined;
}

const OWNERS_VIEW = new RegExp(`^/inspect/(${LABEL})$`);

/** The owner's view of a sandbox; it is to a login what the sandbox's toolbox would be. */
function ownersView(
  authority: string,
  target: string,
  base: string,
  { scheme, authority: own }: Pick<ReturnUrlOptions, "scheme" | "authority">,
): ReturnUrl | undefined {
  const [, label] = OWNERS_VIEW.exec(target) ?? [];
  if (
    label === undefined || mayBeSignedToken(label) ||
    authority !== own.toLowerCase()
  ) return undefined;
  return {
    url: `${scheme}://${authority}${target}`,
    host: { port: TOOLBOX_PORT, label, base, authoritySuffix: authority },
    isOnBase: true,
  };
}

/**
 * The path, query and fragment of `text` if it is a path or a URL with exactly this `origin` (in lower case); undefined
 * otherwise. The result may start with `//`, so a Location header must prefix it with the origin.
 *
 * @example
 * ```ts
 * sameHostTarget("/a?b#c", "https://h.test"); // "/a?b#c"
 * sameHostTarget("https://h.test/a", "https://h.test"); // "/a"
 * sameHostTarget("//evil.example/", "https://h.test"); // undefined
 * ```
 */
export function sameHostTarget(
  text: string,
  origin: string,
): string | undefined {
  const isAbsolute = text.slice(0, origin.length).toLowerCase() === origin;
  const target = isAbsolute ? text.slice(origin.length) : text;
  if (!LOCAL_TARGET.test(target)) return undefined;
  // A relative reference that starts like this names another host (WHATWG URL, relative slash state).
  const namesHost = /^\/[/\\]/.test(target);
  return isAbsolute || !namesHost ? target : undefined;
}
