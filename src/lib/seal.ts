import { base64url, EncryptJWT, jwtDecrypt } from "jose";
import { hkdfSync } from "node:crypto";

/** Default for the longest token, in characters: twice the size of cookie that browsers keep. */
const MAX_TOKEN_LENGTH = 8192;

/** The content of a token: any object that survives JSON. */
type Payload = Record<string, unknown>;

/** Seals payloads into encrypted and authenticated tokens for one purpose. */
export interface Sealer {
  /**
   * Encrypts a payload as a compact JWE (RFC 7516; alg `dir`, enc `A256GCM`) that expires at `expiresAtMs`, rounded down
   * to a second. @throws {RangeError} if the token would be longer than `open()` accepts
   */
  seal(payload: Payload, expiresAtMs: number): Promise<string>;
  /** The payload; undefined if the token is malformed, expired, tampered with, or for another purpose. */
  open(token: string): Promise<Payload | undefined>;
}

interface SealerOptions {
  /** The first one seals, and all open. To rotate, prepend one, and drop the old once its tokens have expired. */
  readonly secrets: readonly string[];
  /** The use of the tokens; a token sealed for one purpose never opens for another. */
  readonly purpose: string;
  readonly now: () => number;
  readonly maxLength?: number | undefined;
}

/** Creates a sealer; throws a TypeError if there is no secret, or an empty one. */
export function createSealer(
  { secrets, purpose, now, maxLength = MAX_TOKEN_LENGTH }: SealerOptions,
): Sealer {
  const keys = secrets.map((secret) => keyOf(secret, purpose));
  const [current] = keys;
  if (current === undefined || secrets.includes("")) {
    throw new TypeError(
      `Cannot seal for '${purpose}': secrets must be a list of non-empty strings`,
    );
  }

  return {
    async seal(payload, expiresAtMs) {
      const { kid, key } = current;
      // Nested in a claim, so that no member of the payload is mistaken for a registered claim (RFC 7519 section 4.1).
      const token = await new EncryptJWT({ data: payload })
        .setProtectedHeader({ alg: "dir", enc: "A256GCM", typ: purpose, kid })
        .setExpirationTime(Math.floor(expiresAtMs / 1000))
        .encrypt(await key);
      if (token.length > maxLength) {
        throw new RangeError(
          `Cannot seal for '${purpose}': the token would be longer than ${maxLength} characters`,
        );
      }
      return token;
    },

    async open(token) {
      if (token.length > maxLength) return undefined;
      try {
        const { payload } = await jwtDecrypt(token, ({ kid }) => {
          const key = keys.find((candidate) => candidate.kid === kid)?.key;
          if (key === undefined) throw new Error("unknown key id");
          return key;
        }, {
          keyManagementAlgorithms: ["dir"],
          contentEncryptionAlgorithms: ["A256GCM"],
          maxDecompressedLength: 0, // rejects "zip": we never compress
          typ: purpose,
          requiredClaims: ["exp", "data"],
          currentDate: new Date(now()),
        });
        return payload["data"] as Payload; // authenticated, so it is what `seal()` was given
      } catch {
        return undefined;
      }
    },
  };
}

const USAGES: KeyUsage[] = ["encrypt", "decrypt"];

/** The key for a purpose, and its public id, each derived from a secret (HKDF-SHA256, RFC 5869), independently. */
function keyOf(secret: string, purpose: string) {
  function derived(output: string, bytes: number): Uint8Array<ArrayBuffer> {
    const info = `porthole seal ${output} ${purpose}`;
    return new Uint8Array(hkdfSync("sha256", secret, "", info, bytes));
  }
  const raw = derived("key", 32);
  // Imported once: jose would for each token, which takes as long as opening it.
  const key = crypto.subtle.importKey("raw", raw, "AES-GCM", false, USAGES);
  return { kid: base64url.encode(derived("kid", 6)), key };
}
