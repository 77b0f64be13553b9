/** What may be told of a user besides a pseudonym, in the words of OpenID Connect Core (section 5.1). */
import type { Identity } from "../../auth/oidc/identity.ts";
import { fitting, jsonBytes } from "../../lib/json_bytes.ts";

export const CLAIMS = ["email", "name", "groups"] as const;

export type ClaimName = (typeof CLAIMS)[number];

/** What is told, by name: of groups a list. */
export type Claims = Readonly<Record<string, string | readonly string[]>>;

/** Most of all that is told, octets: servers take some kilobytes of headers. */
const MAX_BYTES = 3000;

/**
 * Those of the `names` that the identity provider has told, as far as there is room; never an address that it has not
 * verified.
 */
export function claimsOf(
  identity: Identity | undefined,
  names: readonly ClaimName[],
): Claims {
  if (identity === undefined) return {};
  const { email, isEmailVerified, name, groups } = identity;
  const all = {
    email: isEmailVerified && email ? [email] : [],
    name: name ? [name] : [],
    groups,
  };
  let left = MAX_BYTES;
  const told: Record<string, string | readonly string[]> = {};
  for (const claim of CLAIMS) { // groups last: they are cut
    if (!names.includes(claim)) continue;
    const texts = fitting(all[claim], left);
    const [first] = texts;
    if (first === undefined) continue;
    told[claim] = claim === "groups" ? texts : first;
    left -= jsonBytes(texts);
  }
  return told;
}
