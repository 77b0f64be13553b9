/** The operator's rule about who gets in by a login (`LOGIN_ALLOW`) at an identity provider that Daytona does not know. */
import type { LoginRule } from "../config/login_allow.ts";
import { fitting } from "../lib/json_bytes.ts";

/** Most of a user's groups, octets: they are kept with the tokens of a login, for which there is as much room. */
const MAX_GROUPS_BYTES = 24_000;

/** What an identity provider says about a user, as far as the rule asks. */
export interface LoginClaims {
  readonly email: string | undefined;
  readonly isEmailVerified: boolean;
  readonly groups: readonly string[];
}

/** One address: whatever else a provider may send must not be mistaken for one at a domain that is allowed. */
const ADDRESS = /^[^\s@]+@([^\s@]+)$/;

/** A user's address in lower case, and its domain; undefined unless the provider has verified it. */
function verifiedAddress({ email: told, isEmailVerified }: LoginClaims) {
  if (!isEmailVerified || told === undefined) return undefined;
  // ASCII only: other letters that fold to one of ASCII belong to other addresses.
  const email = told.replace(/[A-Z]/g, (one) => one.toLowerCase());
  const domain = ADDRESS.exec(email)?.[1];
  return domain === undefined ? undefined : { email, domain };
}

/** True if the provider vouches for who the user is. */
export function isVerified(claims: LoginClaims): boolean {
  return verifiedAddress(claims) !== undefined;
}

/**
 * True if the rule lets that user in. Nobody gets in whose address the provider has not verified: at many providers,
 * users choose the address themselves, and groups are given by it.
 * @example By the rule `emails: ["ann@example.com"]`, the verified address `Ann@example.com` gets in
 */
export function isAllowed(rule: LoginRule, claims: LoginClaims): boolean {
  const address = verifiedAddress(claims);
  if (address === undefined) return false;
  const { email, domain } = address;
  return rule.emails.includes(email) || rule.domains.includes(domain) ||
    claims.groups.some((group) => rule.groups.includes(group));
}

/**
 * The claims in an ID token or a UserInfo response (OpenID Connect Core sections 5.1 and 5.3.2). Some providers send
 * `email_verified` as text, a single group without an array, or thousands, of which the first 24 kB count.
 */
export function loginClaims(
  claims: Readonly<Record<string, unknown>>,
  groupsClaim: string,
): LoginClaims {
  const { email, email_verified: verified } = claims;
  const groups = Object.hasOwn(claims, groupsClaim)
    ? [claims[groupsClaim]].flat()
    : [];
  const named = groups.filter((group) => typeof group === "string");
  return {
    email: typeof email === "string" ? email : undefined,
    isEmailVerified: verified === true || verified === "true",
    groups: fitting(named, MAX_GROUPS_BYTES),
  };
}
