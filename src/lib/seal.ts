import { base64url, EncryptJWT, jwtDecrypt } from "jose";

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
  /** Current time, ms since the epoch. */
  readonly now: () => number;
  readonly maxLength?: number | undefined;
}

interface SealKey {
  readonly kid: string;
  readonly key: CryptoKey;
}

/** Creates a sealer; throws a TypeError if there is no secret, or an empty one. */
export function createSealer(
  { secrets, purpose, now, maxLength = MAX_TOKEN_LENGTH }: SealerOptions,
): Sealer {
  const [current, ...previous] = secrets;
  if (current === undefined || secrets.includes("")) {
    throw new TypeError(
      `Cannot seal for '${purpose}': secrets must be a list of non-empty strings`,
    );
  }

  let derived: Promise<[SealKey, ...SealKey[]]> | undefined;
  const keys = () =>
    derived ??= Promise.all([
      deriveKey(current, purpose),
      ...previous.map((secret) => deriveKey(secret, purpose)),
    ]);

  return {
    async seal(payload, expiresAtMs) {
      const [{ kid, key }] = await keys();
      // Nested in a claim, so that no member of the payload is mistaken for a registered claim (RFC 7519 section 4.1).
      const token = await new EncryptJWT({ data: payload })
        .setProtectedHeader({ alg: "dir", enc: "A256GCM", typ: purpose, kid })
        .setExpirationTime(Math.floor(expiresAtMs / 1000))
        .encrypt(key);
      if (token.length > maxLength) {
        throw new RangeError(
          `Cannot seal for '${purpose}': the token would be longer than ${maxLength} characters`,
        );
      }
      return token;
    },

    async open(token) {
      if (token.length > maxLength) return undefined;
      const known = await keys();
      try {
        const { payload } = await jwtDecrypt(token, ({ kid }) => {
          const key = known.find((candidate) => candidate.kid === kid)?.key;
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

/** Derives the key for a purpose, and its public key id, from a secret (HKDF-SHA256, RFC 5869), independently. */
async function deriveKey(secret: string, purpose: string): Promise<SealKey> {
  const encoder = new TextEncoder();
  const raw = encoder.encode(secret);
  const master = await crypto.subtle.importKey("raw", raw, "HKDF", false, [
    "deriveKey",
    "deriveBits",
  ]);
  function hkdf(output: string): HkdfParams {
    const info = encoder.encode(`porthole seal ${output} ${purpose}`);
    return { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info };
  }
  const [key, kid] = await Promise.all([
    crypto.subtle.deriveKey(
      hkdf("key"),
      master,
      { name: "AES-GCM", length: 256 },
      false,
      ["encrypt", "decrypt"],
    ),
    crypto.subtle.deriveBits(hkdf("kid"), master, 48),
  ]);
  return { kid: base64url.encode(new Uint8Array(kid)), key };
}
