/**
 * Keeps apps' responses out of shared caches, such as a CDN in front: one would give them to the next visitor without
 * asking the gateway. Browsers store them as the app says.
 */
import type { EdgeCache } from "../config/config.ts";
import { hasHeader, valuesOf, withoutHeader } from "../http/headers.ts";
import { byName } from "../lib/by_name.ts";

/** An element of Cache-Control (RFC 9111 section 5.2): name, argument, and whatever makes it no directive. */
const ELEMENT =
  /[\t ]*(?:([!#$%&'*+.^`|~\w-]+)(=(?:[!#$%&'*+.^`|~\w-]+|"(?:[^"\\]|\\.)*"))?)?[\t ]*([^,]*)(?:,|$)/g;

/** Directives that only shared caches heed, or by which no-store (`must-understand`) or private has exceptions. */
const NOT_KEPT: ReadonlySet<string> = new Set([
  "must-understand",
  "private",
  "proxy-revalidate",
  "public",
  "s-maxage",
]);

/** Longer values are not read: 64 KiB of commas would take 10 ms for each response. */
const MAX_LENGTH = 1024;

/**
 * A Cache-Control value, of several lines joined by commas, by which only browsers may store the response. What is no
 * directive is left out, so that no cache reads the rest differently.
 */
export function privateCacheControl(value: string): string {
  if (value.length > MAX_LENGTH) return "private";
  const kept: string[] = [];
  let isNeverStored = false;
  for (const [, name, argument = "", rest] of value.matchAll(ELEMENT)) {
    if (name === undefined || rest !== "") continue;
    const lower = name.toLowerCase();
    if (NOT_KEPT.has(lower)) continue;
    isNeverStored ||= lower === "no-store" && argument === "";
    kept.push(name + argument);
  }
  return (isNeverStored ? kept : ["private", ...kept]).join(", ");
}

const PRIVATE: [string, string] = ["cache-control", "private"];

const rememberedPrivate = byName(privateCacheControl);

/** What CDNs heed instead (RFC 9213 section 3.1); Deno Deploy's has a name of its own. */
const NO_CDN: readonly [string, string][] = [
  ["cdn-cache-control", "no-store"],
  ["deno-cdn-cache-control", "no-store"],
];

/** An app's response, and who asked for it. */
interface RelayedResponse {
  readonly status: number;
  /** True if anybody may see it. */
  readonly isPublic: boolean;
  readonly edgeCache: EdgeCache;
}

/**
 * An app's headers, to which is added by what no shared cache stores the response, unless it is public and may be stored;
 * those of a public preview say it to CDNs twice.
 */
export function forSharedCaches(
  headers: [string, string][],
  { status, isPublic, edgeCache }: RelayedResponse,
): [string, string][] {
  if (isPublic && edgeCache === "public") return headers;
  let result = headers;
  if (hasHeader(headers, "cache-control")) {
    const value = valuesOf(headers, "cache-control").join();
    result = withoutHeader(headers, "cache-control");
    result.push(["cache-control", rememberedPrivate(value)]);
  } else if (status !== 304 || hasHeader(headers, "expires")) {
    result.push(PRIVATE);
  } else if (edgeCache === "public") {
    // A 304 that says nothing would keep fresh for everybody what a cache has stored while it was public. What it says
    // replaces what the browser has stored, too (RFC 9111 section 3.2): no-cache is never wrong.
    result.push(["cache-control", "private, no-cache"]);
  }
  if (isPublic) result.push(...NO_CDN);
  return result;
}
