/** ID tokens that a relying party must refuse (OpenID Connect Core section 3.1.3.7). */
import { decodeJwt, type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import {
  generateSigningKey,
  SIGNING_ALG,
  type SigningKey,
} from "./signing_key.ts";

/** How a forged ID token differs from the real one. */
export interface Forgery {
  /** What it says, out of what the real one says. */
  readonly claims?: (real: JWTPayload) => JWTPayload;
  /** The key that its header names; the provider's unless given. */
  readonly kid?: string;
  /** Whose signature it has: the provider's unless given; nobody's is `alg: none`. */
  readonly signedBy?: "provider" | "stranger" | "nobody";
}

/** A token as a provider issues it whose clock is `seconds` fast, or slow if negative. */
export function clockSkew(seconds: number): Forgery {
  return {
    claims: ({ iat = 0, exp = 0, ...others }) => ({
      ...others,
      iat: iat + seconds,
      exp: exp + seconds,
    }),
  };
}

/** Makes the forged token of a real one; `key` is the provider's. */
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
