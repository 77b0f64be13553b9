/** Whether a bearer is a user's: the API takes the installation's machines for members of every organization. */
import { isBearer, isJwtShaped } from "../address/grammar.ts";
import type { ApiCaller, Question } from "./api_request.ts";
import type { User } from "./credential.ts";
import type { OnUserAnswer } from "./operation.ts";

/**
 * False if a bearer is the key of a machine, such as a runner's, or nobody's. Only users have JWTs: about those, no call
 * is needed. An API without the operation cannot tell, and everybody counts as a user, as far as it admits them.
 *
 * @throws {GatewayError} as {@linkcode ApiCaller.call} does
 */
export async function isOwnedByUser(
  api: ApiCaller,
  { bearer, clientAddress }: Omit<User, "organizationId">,
  { onUntold, onAnswer }: {
    readonly onUntold: () => void;
    readonly onAnswer?: OnUserAnswer | undefined;
  },
): Promise<boolean> {
  if (isBearer(bearer) && isJwtShaped(bearer)) return true;
  const by = { kind: "user", user: { bearer, clientAddress } } as const;
  return await hasOwner(api, { by, onAnswer }, onUntold);
}

/** True if a key has an owner, or if the API cannot tell, which `onUntold` is told. */
export async function hasOwner(
  api: ApiCaller,
  question: Question<"getCurrentApiKey">,
  onUntold: () => void,
): Promise<boolean> {
  const key = await api.call("getCurrentApiKey", question);
  if (key === "untold") onUntold();
  return key !== null;
}
