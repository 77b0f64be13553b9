/** Who has logged in, by the ID token and the UserInfo of the provider (OpenID Connect Core sections 2 and 5.3). */
import { type LoginClaims, loginClaims } from "../login_rule.ts";

/** A user at the provider. */
export interface Identity extends LoginClaims {
  readonly subject: string;
  readonly name?: string | undefined;
  /** True if the UserInfo has told the groups before: then none there means none. */
  readonly hasLiveGroups: boolean;
  /** When the UserInfo told this, ms since the epoch; 0 if it did not. */
  readonly checkedAt: number;
}

type Claims = Readonly<Record<string, unknown>> & { readonly sub: string };

/** The identity in an ID token. */
export function identityIn(claims: Claims, groupsClaim: string): Identity {
  return {
    ...loginClaims(claims, groupsClaim),
    subject: claims.sub,
    name: nameIn(claims),
    hasLiveGroups: false,
    checkedAt: 0,
  };
}

/** An identity as of a UserInfo response, which need not tell everything that the ID token does. */
export function updatedBy(
  claims: Claims,
  before: Identity,
  { groupsClaim, now }: { readonly groupsClaim: string; readonly now: number },
): Identity {
  const told = loginClaims(claims, groupsClaim);
  const hasLiveGroups = before.hasLiveGroups ||
    Object.hasOwn(claims, groupsClaim);
  const tellsVerified = Object.hasOwn(claims, "email_verified");
  return {
    subject: before.subject,
    name: nameIn(claims) ?? before.name,
    email: told.email ?? before.email,
    // What was verified is the address that came with it.
    isEmailVerified: tellsVerified
      ? told.isEmailVerified
      : before.isEmailVerified &&
        (told.email === undefined || told.email === before.email),
    groups: hasLiveGroups ? told.groups : before.groups,
    hasLiveGroups,
    checkedAt: now,
  };
}

function nameIn({ name }: Claims): string | undefined {
  return typeof name === "string" ? name : undefined;
}
