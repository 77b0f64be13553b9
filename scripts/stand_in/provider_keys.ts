/** The provider's signing key, and ID tokens that a relying party must reject (OpenID Connect Core 1.0 section 3.1.3.7). */
import {
  decodeJwt,
  exportJWK,
  generateKeyPair,
  type GenerateKeyPairResult,
  type JWK,
  type JWTPayload,
  SignJWT,
  UnsecuredJWT,
} from "jose";

/** An ES256 key pair (RFC 7518 section 3.4), which takes a millisecond to generate, unlike RSA. */
export interface SigningKey {
  readonly kid: string;
  readonly publicKey: GenerateKeyPairResult["publicKey"];
  readonly privateKey: GenerateKeyPairResult["privateKey"];
  readonly privateJwk: JWK;
}

/** The algorithm of every signature. */
export const SIGNING_ALG = "ES256";

/** Generates a key with a random id. */
export async function generateSigningKey(): Promise<SigningKey> {
  const pair = await generateKeyPair(SIGNING_ALG, { extractable: true });
  const kid = crypto.randomUUID();
  const jwk = await exportJWK(pair.privateKey);
  return {
    ...pair,
    kid,
    privateJwk: { ...jwk, kid, alg: SIGNING_ALG, use: "sig" },
  };
}

/** The differences between a forged ID token and the real one. */
export interface Forgery {
  /** Its claims, given the real ones. */
  readonly claims?: (real: JWTPayload) => JWTPayload;
  /** The key id in its header; by default, the provider's. */
  readonly kid?: string;
  /** Who has signed it; by default, the provider. `nobody` means `alg: none`. */
  readonly signedBy?: "provider" | "stranger" | "nobody";
}

/** A token of a provider whose clock is `seconds` fast, or slow if negative. */
export function clockSkew(seconds: number): Forgery {
  return {
    claims: ({ iat = 0, exp = 0, ...others }) => ({
      ...others,
      iat: iat + seconds,
      exp: exp + seconds,
    }),
  };
}

/** Forges a token from a real one; `key` is the provider's. */
export async function forge(
  idToken: string,
  { claims, kid, signedBy }: Forgery,
  key: SigningKey,
): Promise<string> {
  const real = decodeJwt(idToken);
  const payload = claims?.(real) ?? real;
  if (signedBy === "nobody") return new UnsecuredJWT(payload).encode();
  const signer = signedBy === "stranger" ? await generateSigningKey() : key;
  return await new SignJWT(payload)
    .setProtectedHeader({ alg: SIGNING_ALG, kid: kid ?? key.kid })
    .sign(signer.privateKey);
}
