/** Keyed hashes of what opens shares: each is for one use at one share. */
import { joinParts } from "../../lib/digest.ts";
import { SecretHashes } from "../../lib/secret_hashes.ts";

/** What is known by its hash only. */
type Use = "secret" | "passcode" | "client";

export class ShareSecrets {
  readonly #hashes: SecretHashes;

  /** Of the gateway's `secrets`, the first makes hashes, and all count. */
  constructor(secrets: readonly string[]) {
    this.#hashes = new SecretHashes(secrets, "share");
  }

  /** The hash of a text, in base64url. */
  hashOf(use: Use, id: string, text: string): string {
    return this.#hashes.of(bytesOf(use, id, text));
  }

  /** True if a hash is that of the text, in constant time. */
  match(use: Use, id: string, text: string, hash: string): boolean {
    return this.#hashes.match(bytesOf(use, id, text), hash);
  }
}

function bytesOf(...parts: string[]): Uint8Array {
  return new TextEncoder().encode(joinParts(parts));
}
