import type { DaytonaApi, User } from "../daytona/api.ts";

/**
 * The API's answer to a question that was asked with a user's bearer, or `no` if that is not a user's: machines have keys
 * too. Whose it is is asked afterwards, as a wrong key costs its visitor one refusal then, and a known one no question.
 * @throws {GatewayError} `api_unreachable` or `user_throttled` if an answer is missing
 */
export async function ifUser<T>(
  question: Promise<T>,
  { api, user, no }: {
    readonly api: Pick<DaytonaApi, "isOwnedByUser">;
    readonly user: User;
    readonly no: T;
  },
): Promise<T> {
  const answer = await question;
  return answer !== no && await api.isOwnedByUser(user) ? answer : no;
}
