/** The headers of the response to the client: the app's, without hop-by-hop headers and those only the gateway may send. */
import { FEATURE_RESPONSE_HEADERS } from "../../gen/facts.ts";
import { cookieName, isOwnCookieName } from "../http/cookies.ts";
import { type HeaderList, valuesOf } from "../http/headers.ts";
import { isHopByHop, nominatedHeaders } from "../http/hop_by_hop.ts";
import { byName } from "../lib/by_name.ts";

/**
 * An app's Set-Cookie value without any Domain attribute that would share the cookie with other hosts (`base`, which its
 * own is directly below, or a domain above it) or names the app's own machine; undefined if it sets one of the gateway's
 * own cookies (RFC 6265bis section 5.6).
 */
export function filterSetCookie(
  line: string,
  base: string,
): string | undefined {
  const attributes = line.split(";");
  const pair = attributes[0] ?? "";
  // A nameless cookie is sent back as its value alone (section 5.8.3), which may look like one of ours.
  const sent = cookieName(pair) === ""
    ? pair.slice(pair.indexOf("=") + 1)
    : pair;
  if (isOwnCookieName(cookieName(sent))) return undefined;
  return attributes.filter((attribute, index) => {
    if (index === 0) return true;
    const domain = domainOf(attribute);
    return domain === undefined || PLAIN_DOMAIN.test(domain) &&
        domain !== base && !base.endsWith(`.${domain}`) &&
        !LOCAL_DOMAIN.test(domain);
  }).join(";");
}

/** What an app may believe to be its domain: browsers would drop the cookie. An IPv6 address is no plain domain. */
const LOCAL_DOMAIN = /^(?:localhost|127\.0\.0\.1|0\.0\.0\.0)$/;

/**
 * Chromium maps any other character (UTS #46), so a domain with a full-width letter may still be the base domain. One
 * with a space is invalid in every browser.
 */
const PLAIN_DOMAIN = /^[a-z0-9._ -]*$/;

/** The value of a Domain attribute (RFC 6265bis section 5.6.3); undefined for any other attribute. */
function domainOf(attribute: string): string | undefined {
  const equals = attribute.indexOf("=");
  const name = attribute.slice(0, Math.max(0, equals)).trim().toLowerCase();
  if (name !== "domain") return undefined;
  const domain = attribute.slice(equals + 1).trim().toLowerCase();
  // Hosts with a trailing dot are served too, and such a domain matches them.
  return domain.slice(
    domain.startsWith(".") ? 1 : 0,
    domain.endsWith(".") ? -1 : undefined,
  );
}

/**
 * An app's Clear-Site-Data without `"cookies"`; undefined if nothing is left. A browser would clear the cookies of the
 * whole site, every other sandbox's and our logins among them (W3C Clear Site Data, section 3.1); the other types
 * affect the app's own origin only.
 */
export function filterClearSiteData(value: string): string | undefined {
  const kept: string[] = [];
  for (const type of value.split(",")) {
    // Firefox ignores whitespace within a type as well.
    const compact = type.replace(/[\t\n\f\r ]/g, "");
    if (compact === '"cookies"') continue;
    kept.push(compact === '"*"' ? EVERYTHING_BUT_COOKIES : type.trim());
  }
  return kept.length === 0 ? undefined : kept.join(", ");
}

const EVERYTHING_BUT_COOKIES = '"cache", "storage", "executionContexts"';

/**
 * Headers that no app may send: those that tell our own answers from an app's; NEL, by which a browser would report the
 * URL of every later request, before we can remove a preview token from its query (W3C Network Error Logging, section 5);
 * and Alt-Svc, by which a browser would take the host's next requests elsewhere (RFC 7838 section 3).
 */
const NEVER_FROM_APP: ReadonlySet<string> = new Set([
  "alt-svc",
  "nel",
  "x-daytona-sandbox-state",
  "x-porthole-error",
  ...FEATURE_RESPONSE_HEADERS,
]);

/**
 * What a server in front of us would obey, and not pass on: by X-Accel-Redirect or X-Sendfile, an app would read the
 * operator's own files and locations, and by X-Reproxy-URL whatever the front reaches.
 */
const FOR_FRONTS =
  /^x-(?:accel-|accelerator-|lighttpd-|litespeed-|reproxy-|sendfile)/;

/**
 * What a cache in front of us would obey, the operator's to send: how long to store the response (RFC 9213; also
 * Akamai's and Cloudflare's names), under which key (Deno-Vary, Netlify-Cache-ID), with which tags (CDN-Tag is Bunny's,
 * xkey Varnish's), and what to make of its content (Surrogate-Control, for Edge Side Includes).
 */
const FOR_CACHES =
  /^(?:cdn-|deno-|netlify-|surrogate-|(?:cf-edge-cache|edge-control|xkey)$)|-cache-control$|(?:^|-)cache-tags?$/;

/** What passes of the value of some headers. */
const FILTERS = {
  "clear-site-data": filterClearSiteData,
  "set-cookie": filterSetCookie,
  // Has nginx pass the response on at once, which is all that an app may ask of a front.
  "x-accel-buffering": (value: string) =>
    value.trim().toLowerCase() === "no" ? value : undefined,
};

function isFiltered(name: string): name is keyof typeof FILTERS {
  return Object.hasOwn(FILTERS, name);
}

/** What becomes of a header, by its name. */
const treatmentOf = byName((name) => {
  const lower = name.toLowerCase();
  if (isHopByHop(lower) || NEVER_FROM_APP.has(lower)) return "drop";
  if (isFiltered(lower)) return lower;
  return FOR_FRONTS.test(lower) || FOR_CACHES.test(lower) ? "drop" : "send";
});

/** The end-to-end headers of an upstream response, for a client of a host directly below `base`. */
export function responseHeaders(
  headers: HeaderList,
  base: string,
): [string, string][] {
  const nominated = nominatedHeaders(valuesOf(headers, "connection").join());
  const relayed: [string, string][] = [];
  for (const [name, value] of headers) {
    const treatment = treatmentOf(name);
    if (treatment === "drop") continue;
    if (nominated.size > 0 && nominated.has(name.toLowerCase())) continue;
    const passed = treatment === "send"
      ? value
      : FILTERS[treatment](value, base);
    if (passed !== undefined) relayed.push([name, passed]);
  }
  return relayed;
}
