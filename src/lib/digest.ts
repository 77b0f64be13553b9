import { createHash } from "node:crypto";
import { Lru } from "./lru.ts";

/** Joins parts, each after its length: no two lists give the same text. @example `joinParts(["ab", "c"])` is `"2:ab1:c"` */
export function joinParts(parts: readonly string[]): string {
  let joined = "";
  for (const part of parts) joined += `${part.length}:${part}`;
  return joined;
}

/** SHA-256 over the joined parts, in base64url; synchronous, as that takes 1-2 µs, and WebCrypto's round trip about 50. */
export function digestKey(parts: readonly string[]): string {
  return createHash("sha256").update(joinParts(parts)).digest("base64url");
}

/** Longer texts are not memoized: V8 hashes very long strings by their length alone, so a client could make keys collide. */
const MAX_MEMOIZED_LENGTH = 1024;

/** Creates a {@linkcode digestKey} that memoizes its last `max` results, since the same few tokens keep coming back. */
export function createDigests(
  max: number,
): (parts: readonly string[]) => string {
  const digests = new Lru<string, string>({ max });
  return (parts) => {
    const joined = joinParts(parts);
    if (joined.length > MAX_MEMOIZED_LENGTH) return digestKey(parts);
    let digest = digests.get(joined);
    if (digest === undefined) digests.set(joined, digest = digestKey(parts));
    return digest;
  };
}
