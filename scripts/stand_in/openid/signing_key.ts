/** The provider's key for ID tokens and access tokens. */
import {
  exportJWK,
  generateKeyPair,
  type GenerateKeyPairResult,
  type JWK,
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
