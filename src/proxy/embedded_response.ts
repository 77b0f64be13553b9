/**
 * What the session of a frame changes in an app's response: who may frame it, and whether browsers keep its cookies there.
 * Everything else stays as it is.
 */
import type { FrameTerms } from "../auth/grants.ts";
import { hasHeader, isName } from "../http/headers.ts";
import {
  type FramedResponse,
  frameHeaders,
  type FrameSource,
  isDocument,
} from "./frame_headers.ts";

/** The end-to-end headers of an app's response in a frame on these terms; nothing is added to a 304. */
export function embeddedHeaders(
  { status, headers }: FramedResponse,
  terms: FrameTerms,
  source: FrameSource,
): [string, string][] {
  const { ancestors, isolate } = terms;
  const asDocument = isDocument({ status, headers });
  const changed: [string, string][] = [];
  for (const [name, value] of headers) {
    if (asDocument && isName(name, "cache-control")) continue;
    const passed = passedValue(name, value, terms, source);
    if (passed !== undefined) changed.push([name, passed]);
  }
  if (isolate !== null && status !== 304) {
    const isolation: [string, string][] = [
      ["cross-origin-embedder-policy", isolate],
      ["cross-origin-resource-policy", "cross-origin"],
    ];
    changed.push(...isolation.filter(([name]) => !hasHeader(headers, name)));
  }
  // In a frame on other terms, a browser would show what it has stored.
  if (asDocument) changed.push(["cache-control", "no-store"]);
  const response = { status, headers: changed };
  return [...changed, ...frameHeaders(response, source, ancestors)];
}

/** What becomes of the value of an app's header; undefined if nothing does. */
function passedValue(
  name: string,
  value: string,
  { frame, cookies }: FrameTerms,
  { scheme }: Pick<FrameSource, "scheme">,
): string | undefined {
  if (isName(name, "set-cookie")) {
    const isKept = cookies === "partition" && scheme === "https";
    return isKept ? partitionedCookie(value) : value;
  }
  if (frame === "keep") return value;
  if (isName(name, "x-frame-options")) return undefined;
  return isName(name, "content-security-policy")
    ? withoutFrameAncestors(value)
    : value;
}

/** The directive, up to its value: nothing but these characters is whitespace in a policy. */
const FRAME_ANCESTORS = /^[\t\n\f\r ]*frame-ancestors(?:[\t\n\f\r ]|$)/i;

/**
 * A list of policies whose directives are all there but `frame-ancestors`, byte for byte; undefined if none is left
 * (Content Security Policy Level 3, sections 2.2.1 and 2.2.2).
 */
export function withoutFrameAncestors(value: string): string | undefined {
  const policies = value.split(",").flatMap((policy) => {
    const directives = policy.split(";");
    const kept = directives.filter((each) => !FRAME_ANCESTORS.test(each));
    const isLeft = kept.length === directives.length ||
      kept.some((each) => /[^\t\n\f\r ]/.test(each));
    return isLeft ? [kept.join(";")] : [];
  });
  return policies.length === 0 ? undefined : policies.join(",");
}

/** What decides whether a cookie is kept (RFC 6265bis section 5.6, and CHIPS). */
const ATTRIBUTE = /^[\t ]*(?:samesite|secure|partitioned)[\t ]*(?:=|$)/i;

/** A Set-Cookie value by which browsers keep the cookie in frames of other sites, for each of those sites. */
export function partitionedCookie(line: string): string {
  const [pair, ...attributes] = line.split(";");
  const kept = attributes.filter((each) => !ATTRIBUTE.test(each));
  return [pair, ...kept, " SameSite=None", " Secure", " Partitioned"].join(";");
}
