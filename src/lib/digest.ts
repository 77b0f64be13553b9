import { LRUCache } from "lru-cache";
import { createHash } from "node:crypto";

/**
 * Concatenates parts, each prefixed with its length, so that no two lists of parts give the same text.
 *
 * @example
 * ```ts
 * joinParts(["ab", "c"]); // "2:ab1:c"
 * joinParts(["a", "bc"]); // "1:a2:bc"
 * ```
 */
export function joinParts(parts: readonly string[]): string {
  let joined = "";
  for (const part of parts) joined += `${part.length}:${part}`;
  return joined;
}

/**
 * SHA-256 over the joined parts, in base64url: identifies a secret without revealing it. Parts are hashed as UTF-8, so
 * a lone surrogate counts as U+FFFD.
 *
 * Deliberately synchronous: 1-2 µs for a token, against about 50 µs for a round trip through WebCrypto.
 */
export function digestKey(parts: readonly string[]): string {
  return createHash("sha256").update(joinParts(parts)).digest("base64url");
}

/**
 * Longer texts are not memoized: V8 hashes very long strings by their length alone, so a client could fill the cache
 * with colliding keys, each of which is compared with all the others.
 */
const MAX_MEMOIZED_LENGTH = 1024;

/** Creates a {@linkcode digestKey} that memoizes its last `max` results, since the same few tokens keep coming back. */
export function createDigests(
  max: number,
): (parts: readonly string[]) => string {
  const digests = new LRUCache<string, string>({ max });
  return (parts) => {
    const joined = joinParts(parts);
    if (joined.length > MAX_MEMOIZED_LENGTH) return digestKey(parts);
    let digest = digests.get(joined);
    if (digest === undefined) digests.set(joined, digest = digestKey(parts));
    return digest;
  };
}
