/** The credentials that a call of Daytona's API can carry. */
import { isBearer, isUuid } from "../address/grammar.ts";

/** The user on whose behalf a call is made. */
export interface User {
  /** An API key or JWT, without the scheme. */
  readonly bearer: string;
  /** The address that the request came from: the API counts refusals per address. */
  readonly clientAddress: string;
  /** The UUID of one of the user's organizations; only a JWT needs it. */
  readonly organizationId?: string | undefined;
}

/** By whose right a sandbox starts: the gateway's own key, a user's bearer, or a key that the operator gave for that. */
export type StartCredential =
  | { readonly kind: "own" }
  | { readonly kind: "user"; readonly user: User }
  | { readonly kind: "key"; readonly key: string };

export type ApiCredential = StartCredential | { readonly kind: "none" };

/** The headers that carry a credential, of which `ownKey` is the gateway's; undefined if it cannot be sent. */
export function credentialHeaders(
  by: ApiCredential,
  ownKey: string,
): Record<string, string> | undefined {
  if (by.kind === "none") return {};
  const user = by.kind === "user" ? by.user : undefined;
  const bearer = user?.bearer ?? (by.kind === "key" ? by.key : ownKey);
  const { clientAddress, organizationId } = user ?? {};
  if (!isBearer(bearer)) return undefined;
  if (organizationId !== undefined && !isUuid(organizationId)) return undefined;
  return {
    authorization: `Bearer ${bearer}`,
    ...clientAddress !== undefined && { "x-forwarded-for": clientAddress },
    ...organizationId !== undefined &&
      { "x-daytona-organization-id": organizationId },
  };
}
