import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";

/** Joins parts with their lengths, so that no two lists of parts give the same text. */
export function joinParts(parts: readonly string[]): string {
  let joined = "";
  for (const part of parts) joined += `${part.length}:${part}`;
  return joined;
}

/**
 * SHA-256 over the joined parts, base64url: names a secret without telling it. Parts are hashed as UTF-8, so a lone
 * surrogate counts as U+FFFD.
 *
 * Synchronous on purpose: 1-2 µs for a token, where WebCrypto's round trip takes about 50.
 */
export function digestKey(parts: readonly string[]): string {
  return createHash("sha256").update(joinParts(parts)).digest("base64url");
}

/**
 * What is longer is not remembered: V8 hashes very long strings by their length alone, so that a client could fill the
 * memory with such as all have to be compared with each other.
 */
const MAX_REMEMBERED_LENGTH = 1024;

/** {@linkcode digestKey} that remembers its last `max` answers: the same few tokens come again and again. */
export function createDigests(
  max: number,
): (parts: readonly string[]) => string {
  const known = new LRUCache<string, string>({ max });
  return (parts) => {
    const joined = joinParts(parts);
    if (joined.length > MAX_REMEMBERED_LENGTH) return digestKey(parts);
    let digest = known.get(joined);
    if (digest === undefined) known.set(joined, digest = digestKey(parts));
    return digest;
  };
}
