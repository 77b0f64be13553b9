/** Reads hosts, and remembers the last previews: a browser asks for the same one a hundred times. */
import { LRUCache } from "lru-cache";
import { type ParsedHost, parseHost } from "./preview_host.ts";

/** Hosts remembered. */
const MAX_KNOWN = 1000;

/** What is longer is no name (RFC 1035 section 2.3.4) with a port; clients decide on what is remembered. */
const MAX_LENGTH = 264;

/** Classifies an authority as {@linkcode parseHost} does. */
export type HostParser = (authority: string) => ParsedHost;

/** Creates a parser for base domains that may become known later, and then are another list. */
export function createHostParser(
  baseDomains: () => readonly string[],
): HostParser {
  const known = new LRUCache<string, ParsedHost>({ max: MAX_KNOWN });
  let knownFor: readonly string[] = [];

  return function hostParser(authority) {
    const bases = baseDomains();
    if (bases !== knownFor) {
      known.clear();
      knownFor = bases;
    }
    const earlier = known.get(authority);
    if (earlier !== undefined) return earlier;
    if (authority.length > MAX_LENGTH) return parseHost(authority, bases);
    const own = detached(authority);
    const parsed = parseHost(own, bases);
    if (parsed.kind === "preview") known.set(own, parsed);
    return parsed;
  };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The same text in memory of its own: V8 keeps the whole address for as long as anybody has a part that was cut out of it. */
function detached(text: string): string {
  return decoder.decode(encoder.encode(text));
}
