/** The fields of the response to the client: as the app sent them, less what belongs to a hop or to the gateway. */
import { cookieName, isOwnCookieName } from "../auth/cookies.ts";
import { isHopByHop, nominatedFields } from "./hop_by_hop.ts";

type Field = readonly [name: string, value: string];

/**
 * An app's Set-Cookie line without a Domain attribute that would reach other sandboxes (the base domain or one above
 * it), or undefined where it sets one of the gateway's own cookies (RFC 6265bis section 5.6).
 */
export function filterSetCookie(
  line: string,
  base: string,
): string | undefined {
  const attributes = line.split(";");
  const pair = attributes[0] ?? "";
  // A cookie without a name is sent back as its value alone (section 5.8.3), which may look like one of ours.
  const sent = cookieName(pair) === ""
    ? pair.slice(pair.indexOf("=") + 1)
    : pair;
  if (isOwnCookieName(cookieName(sent))) return undefined;
  return attributes.filter((attribute, index) => {
    if (index === 0) return true;
    const domain = domainOf(attribute);
    return domain === undefined || PLAIN_DOMAIN.test(domain) &&
        domain !== base && !base.endsWith(`.${domain}`);
  }).join(";");
}

/**
 * Chromium maps other characters (UTS #46): with a full-width letter in it, a domain may still be the base. A blank
 * makes it none for everybody.
 */
const PLAIN_DOMAIN = /^[a-z0-9._ -]*$/;

/** The domain that an attribute names, undefined for any other attribute (RFC 6265bis section 5.6.3). */
function domainOf(attribute: string): string | undefined {
  const equals = attribute.indexOf("=");
  const name = attribute.slice(0, Math.max(0, equals)).trim().toLowerCase();
  if (name !== "domain") return undefined;
  const domain = attribute.slice(equals + 1).trim().toLowerCase();
  // A host with a final dot is served too, and its cookies have such domains.
  return domain.slice(
    domain.startsWith(".") ? 1 : 0,
    domain.endsWith(".") ? -1 : undefined,
  );
}

/**
 * An app's Clear-Site-Data without the cookies, undefined where nothing is left: a browser clears those of the whole
 * site, every other sandbox's and our logins (W3C Clear Site Data, section 3.1). All else is the app's own origin's.
 */
export function filterClearSiteData(value: string): string | undefined {
  const kept: string[] = [];
  for (const type of value.split(",")) {
    // Firefox ignores blanks within a type as well.
    const meant = type.replace(/[\t\n\f\r ]/g, "");
    if (meant === '"cookies"') continue;
    kept.push(meant === '"*"' ? EVERYTHING_BUT_COOKIES : type.trim());
  }
  return kept.length === 0 ? undefined : kept.join(", ");
}

const EVERYTHING_BUT_COOKIES = '"cache", "storage", "executionContexts"';

function connectionOf(fields: readonly Field[]): string | undefined {
  const values = fields.filter(([name]) => name.toLowerCase() === "connection");
  return values.length === 0
    ? undefined
    : values.map(([, value]) => value).join(",");
}

/**
 * What no app may say: fields that tell our answers from an app's, and NEL, by which a browser would report the address
 * of every later request, with a key in its query before we take that away (W3C Network Error Logging, section 5).
 */
const NEVER_FROM_APP: ReadonlySet<string> = new Set([
  "nel",
  "x-porthole-error",
  "x-porthole-warning",
]);

/** The end-to-end fields of an upstream response, to relay to a client of a preview host under `base`. */
export function responseFields(
  fields: readonly Field[],
  base: string,
): [string, string][] {
  const nominated = nominatedFields(connectionOf(fields));
  const relayed: [string, string][] = [];
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    if (isHopByHop(lower) || nominated.has(lower)) continue;
    if (NEVER_FROM_APP.has(lower)) continue;
    if (lower === "set-cookie") {
      const cookie = filterSetCookie(value, base);
      if (cookie !== undefined) relayed.push([name, cookie]);
      continue;
    }
    if (lower === "clear-site-data") {
      const types = filterClearSiteData(value);
      if (types !== undefined) relayed.push([name, types]);
      continue;
    }
    relayed.push([name, value]);
  }
  return relayed;
}
