/** The fields of the response to the client: as the app sent them, less what belongs to a hop or to the gateway. */
import { isOwnCookieName } from "../auth/cookies.ts";
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
  const equals = pair.indexOf("=");
  if (isOwnCookieName((equals < 0 ? pair : pair.slice(0, equals)).trim())) {
    return undefined;
  }
  return attributes.filter((attribute, index) => {
    if (index === 0) return true;
    const match = /^\s*domain\s*=\s*\.?(.*?)\s*$/i.exec(attribute);
    const domain = match?.[1]?.toLowerCase();
    return domain === undefined ||
      !(domain === base || base.endsWith(`.${domain}`));
  }).join(";");
}

function connectionOf(fields: readonly Field[]): string | undefined {
  const values = fields.filter(([name]) => name.toLowerCase() === "connection");
  return values.length === 0
    ? undefined
    : values.map(([, value]) => value).join(",");
}

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
    if (lower === "set-cookie") {
      const cookie = filterSetCookie(value, base);
      if (cookie !== undefined) relayed.push([name, cookie]);
      continue;
    }
    relayed.push([name, value]);
  }
  return relayed;
}
