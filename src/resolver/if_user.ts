import type { DaytonaApi, User } from "../daytona/api.ts";

/**
 * The API's answer to a question that was asked with a user's bearer, or `no` if that is not a user's, which is asked at
 * the same time: machines have keys too. A definite no counts even if the other question cannot be answered.
 * @throws {GatewayError} `api_unreachable` or `user_throttled` if an answer is missing, and the other one is not a no
 */
export async function ifUser<T>(
  question: Promise<T>,
  { api, user, no }: {
    readonly api: Pick<DaytonaApi, "isOwnedByUser">;
    readonly user: User;
    readonly no: T;
  },
): Promise<T> {
  const [owned, answer] = await Promise.allSettled([
    api.isOwnedByUser(user),
    question,
  ]);
  if (owned.status === "fulfilled" && !owned.value) return no;
  if (answer.status === "rejected") throw answer.reason;
  if (answer.value === no) return no;
  if (owned.status === "rejected") throw owned.reason;
  return answer.value;
}
