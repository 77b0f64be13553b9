/** The operator's rule about who gets in by a login (`LOGIN_ALLOW`) at an identity provider that Daytona does not know. */
import type { LoginRule } from "../config/login_allow.ts";

/** What an identity provider says about a user, as far as the rule asks. */
export interface LoginClaims {
  readonly email: string | undefined;
  readonly isEmailVerified: boolean;
  readonly groups: readonly string[];
}

/** One address: whatever else a provider may send must not be mistaken for one at a domain that is allowed. */
const ADDRESS = /^[^\s@]+@([^\s@]+)$/;

/**
 * True if the rule lets that user in. Nobody gets in whose address the provider has not verified: at many providers,
 * users choose the address themselves, and groups are given by it.
 * @example By the rule `emails: ["ann@example.com"]`, the verified address `Ann@example.com` gets in
 */
export function isAllowed(rule: LoginRule, claims: LoginClaims): boolean {
  if (!claims.isEmailVerified || claims.email === undefined) return false;
  // ASCII only: other letters that fold to one of ASCII belong to other addresses.
  const email = claims.email.replace(/[A-Z]/g, (one) => one.toLowerCase());
  const domain = ADDRESS.exec(email)?.[1];
  if (domain === undefined) return false;
  return rule.emails.includes(email) || rule.domains.includes(domain) ||
    claims.groups.some((group) => rule.groups.includes(group));
}

/**
 * The claims in an ID token or a UserInfo response (OpenID Connect Core sections 5.1 and 5.3.2). Some providers send
 * `email_verified` as text, and a single group without an array.
 */
export function loginClaims(
  claims: Readonly<Record<string, unknown>>,
  groupsClaim: string | undefined,
): LoginClaims {
  const { email, email_verified: verified } = claims;
  const groups = groupsClaim !== undefined && Object.hasOwn(claims, groupsClaim)
    ? [claims[groupsClaim]].flat()
    : [];
  return {
    email: typeof email === "string" ? email : undefined,
    isEmailVerified: verified === true || verified === "true",
    groups: groups.filter((group) => typeof group === "string"),
  };
}
