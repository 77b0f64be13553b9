/** Parses hosts and caches the latest preview hosts: a browser asks for the same one a hundred times. */
import { LRUCache } from "lru-cache";
import { type ParsedHost, parseHost } from "./preview_host.ts";

/** Most hosts cached. */
const MAX_CACHED = 1000;

/** Longer than any name (RFC 1035 section 2.3.4) with a port: not cached, since clients choose what is. */
const MAX_CACHED_LENGTH = 264;

/** Classifies an authority, as {@linkcode parseHost} does. */
export type HostParser = (authority: string) => ParsedHost;

/** Creates a parser; the base domains may become known later, as a new array, which invalidates the cache. */
export function createHostParser(
  baseDomains: () => readonly string[],
): HostParser {
  const cache = new LRUCache<string, ParsedHost>({ max: MAX_CACHED });
  let cachedFor: readonly string[] = [];

  return function hostParser(authority) {
    const bases = baseDomains();
    if (bases !== cachedFor) {
      cache.clear();
      cachedFor = bases;
    }
    const cached = cache.get(authority);
    if (cached !== undefined) return cached;
    if (authority.length > MAX_CACHED_LENGTH) {
      return parseHost(authority, bases);
    }
    const copy = copyOf(authority);
    const parsed = parseHost(copy, bases);
    if (parsed.kind === "preview") cache.set(copy, parsed);
    return parsed;
  };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The same text in memory of its own: a substring of the request's URL would keep all of that URL alive in V8. */
function copyOf(text: string): string {
  return decoder.decode(encoder.encode(text));
}
