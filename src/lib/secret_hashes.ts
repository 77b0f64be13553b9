/** Keyed hashes of secrets that are shown once: whoever reads where they are kept has neither them nor a way to try some. */
import { Buffer } from "node:buffer";
import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";

export class SecretHashes {
  readonly #keys: readonly Uint8Array[];

  /** Of the gateway's `secrets`, the first makes hashes, and all count: from each, a key is derived (RFC 5869). */
  constructor(secrets: readonly string[], purpose: string) {
    const info = `porthole hash ${purpose}`;
    this.#keys = secrets.map((secret) =>
      new Uint8Array(hkdfSync("sha256", secret, "", info, 32))
    );
  }

  /** The hash of a secret, in base64url: HMAC-SHA256. */
  of(secret: Uint8Array): string {
    return this.#all(secret)[0]?.toString("base64url") ?? "";
  }

  /** True if a hash is that of the secret; takes a time that says nothing of where they differ. */
  match(secret: Uint8Array, hash: string): boolean {
    const given = Buffer.from(hash, "base64url");
    return this.#all(secret).some((each) =>
      each.length === given.length && timingSafeEqual(each, given)
    );
  }

  #all(secret: Uint8Array): Buffer[] {
    return this.#keys.map((key) =>
      createHmac("sha256", key).update(secret).digest()
    );
  }
}
