/**
 * Places that a request may ask to be led back to: after a login, a preview URL below the base domain that the login
 * runs on, or at a name whose login is there; from the gateway's own pages on a preview host, a path of that host. Only
 * the gateway's own spelling is accepted, and nothing repaired: what a lenient parser takes for a path, a browser may
 * take for a host.
 */
import { FEATURE_GUEST_PAGES, FEATURE_MEMBER_PAGES } from "../../gen/facts.ts";
import { LABEL, mayBeSignedToken, TOOLBOX_PORT } from "./grammar.ts";
import {
  type HostParser,
  type PreviewHost,
  previewOrigin,
} from "./preview_host.ts";

/** The base host that the login runs on. */
export interface ReturnUrlOptions {
  readonly scheme: "http" | "https";
  readonly parseHost: HostParser;
  /** `host[:port]` of that base host, as requested. */
  readonly authority: string;
}

/** A URL that a login may return to. */
export interface ReturnUrl {
  /** Safe in a Location header: the host is rebuilt from its parts, path and query are kept byte for byte. */
  readonly url: string;
  readonly host: PreviewHost;
  /** True for a page on the base host: about the sandbox, for its members, or one that asks who somebody is. */
  readonly isOnBase?: true;
  /** True if it asks that, whatever they may open: its host is that of no sandbox. */
  readonly isForAnybody?: true;
}

/** A longer URL, in characters, would not fit into a sealed cookie along with the rest of the login state. */
export const MAX_RETURN_URL_LENGTH = 2000;

/** A lower-case scheme; an authority of DNS characters; a target of visible ASCII in origin form, without a fragment. */
const URL_FORM =
  /^(https?):\/\/([A-Za-z0-9._-]+(?::[0-9]+)?)(\/[\x21-\x22\x24-\x7e]*)$/;

/**
 * Checks a URL that a login is asked to return to; undefined if it may not.
 * @example Below `p.test`, `https://3000-box.p.test/a?b` is kept, and `https://3000-box.p.test@evil.test/` refused
 */
export function checkReturnUrl(
  text: string,
  { scheme: ownScheme, parseHost, authority: own }: ReturnUrlOptions,
): ReturnUrl | undefined {
  if (text.length > MAX_RETURN_URL_LENGTH) return undefined;
  const [, scheme, authority = "", target = ""] = URL_FORM.exec(text) ?? [];
  if (scheme !== ownScheme) return undefined;
  const suffix = own.toLowerCase();
  const parsed = parseHost(authority);
  if (parsed.kind === "base") {
    return authority.toLowerCase() === suffix
      ? pageOnBase(`${scheme}://${suffix}`, target, parsed.base)
      : undefined;
  }
  if (parsed.kind !== "preview") return undefined;
  const { host } = parsed;
  // A signed token opens its port or does not: logging in changes nothing.
  return host.authoritySuffix === suffix && !mayBeSignedToken(host.label)
    ? { url: previewOrigin(host, ownScheme) + target, host }
    : undefined;
}

/** A URL that was checked when the login began, if base domains and names still lead there; undefined otherwise. */
export function stillReturnUrl(
  url: string,
  parseHost: HostParser,
): ReturnUrl | undefined {
  const { origin, host: authority, pathname } = new URL(url);
  const parsed = parseHost(authority);
  if (parsed.kind === "preview") return { url, host: parsed.host };
  return parsed.kind === "base"
    ? pageOnBase(origin, pathname, parsed.base)
    : undefined;
}

const MEMBER_PAGES: ReadonlySet<string> = new Set(FEATURE_MEMBER_PAGES);
const MEMBER_PAGE = new RegExp(`^/([a-z_]+)/(${LABEL})$`);
const GUEST_PAGES = Object.entries(FEATURE_GUEST_PAGES)
  .map(([segment, id]) => new RegExp(`^/${segment}/${id}$`));

/** The sandbox that a page for its members is about; undefined if it is no such page. */
function subjectOf(target: string): string | undefined {
  const [, page = "", label] = MEMBER_PAGE.exec(target) ?? [];
  return MEMBER_PAGES.has(page) ? label : undefined;
}

/** A page on the base host with that origin; one about a sandbox is to a login what the toolbox would be. */
function pageOnBase(
  origin: string,
  target: string,
  base: string,
): ReturnUrl | undefined {
  const isForAnybody = GUEST_PAGES.some((page) => page.test(target));
  const label = isForAnybody ? "" : subjectOf(target);
  if (label === undefined || mayBeSignedToken(label)) return undefined;
  const authoritySuffix = origin.slice(origin.indexOf("://") + 3);
  return {
    url: origin + target,
    host: { port: TOOLBOX_PORT, label, base, authoritySuffix },
    isOnBase: true,
    ...isForAnybody && { isForAnybody },
  };
}

/**
 * The path, query and fragment of `text` if it is a path or a URL with exactly this `origin` (in lower case); undefined
 * otherwise. The result may start with `//`, so a Location header must prefix it with the origin.
 * @example For `https://h.test`, `/a?b#c` is kept, `https://h.test/a` becomes `/a`, and `//evil.example/` is refused
 */
export function sameHostTarget(
  text: string,
  origin: string,
): string | undefined {
  const isAbsolute = text.slice(0, origin.length).toLowerCase() === origin;
  const target = isAbsolute ? text.slice(origin.length) : text;
  // Visible ASCII only: a browser strips tabs and line breaks before it parses a URL.
  if (!/^\/[\x21-\x7e]*$/.test(target)) return undefined;
  // A relative reference that starts like this names another host (WHATWG URL, relative slash state).
  const namesHost = /^\/[/\\]/.test(target);
  return isAbsolute || !namesHost ? target : undefined;
}
