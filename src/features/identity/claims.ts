/** What may be told of a user besides a pseudonym, in the words of OpenID Connect Core (section 5.1). */
import type { Identity } from "../../auth/oidc/identity.ts";

export const CLAIMS = ["email", "name", "groups"] as const;

export type ClaimName = (typeof CLAIMS)[number];

/** What is told, by name: of groups a list. */
export type Claims = Readonly<Record<string, string | readonly string[]>>;

/** Longest text, and most characters of all groups: servers take some kilobytes of headers. */
const MAX_LENGTH = 2048;

/** Those of the `names` that the identity provider has told; never an address that it has not verified. */
export function claimsOf(
  identity: Identity | undefined,
  names: readonly ClaimName[],
): Claims {
  if (identity === undefined) return {};
  const { email, isEmailVerified, name, groups } = identity;
  let left = MAX_LENGTH;
  const all = {
    email: isEmailVerified ? email ?? "" : "",
    name: name ?? "",
    groups: groups.filter((group) => (left -= group.length) >= 0),
  };
  const told = names.map((claim) => [claim, all[claim]] as const);
  return Object.fromEntries(
    told.filter(([, { length }]) => length > 0 && length <= MAX_LENGTH),
  );
}
