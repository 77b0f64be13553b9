/** An issuer of JWTs whose keys tests have. */
import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JSONWebKeySet,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from "jose";

/** An issuer. */
export interface TestIssuer {
  readonly privateKey: CryptoKey;
  readonly jwks: JSONWebKeySet;
  /** A JWT with those claims; `header` overrides its own, and `key` signs in place of its own. */
  sign(
    claims: JWTPayload,
    header?: Partial<JWTHeaderParameters>,
    key?: CryptoKey | Uint8Array,
  ): Promise<string>;
}

/** Creates an issuer with one key. */
export async function createIssuer(
  { alg = "ES256", kid = "one" } = {},
): Promise<TestIssuer> {
  const pair = await generateKeyPair(alg, { extractable: true });
  const { privateKey, publicKey } = pair;
  return {
    privateKey,
    // Without `alg`, which an issuer need not tell.
    jwks: { keys: [{ ...await exportJWK(publicKey), kid }] },
    sign: (claims, header = {}, key = privateKey) =>
      new SignJWT(claims).setProtectedHeader({ alg, kid, ...header }).sign(key),
  };
}
