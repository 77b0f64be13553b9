/** Errors that the server replies. */

/** How an error reply of the server begins. */
export type RedisErrorCode =
  | "LOADING"
  | "NOAUTH"
  | "NOPERM"
  | "READONLY"
  | "WRONGTYPE";

export function hasErrorCode(
  failure: unknown,
  ...codes: RedisErrorCode[]
): boolean {
  return failure instanceof Error &&
    codes.some((code) => failure.message.startsWith(`${code} `));
}

/** Removes the arguments that Redis quotes in its error for an unknown command: they may hold a password or a value. */
export function withoutArguments(failure: unknown): unknown {
  if (!(failure instanceof Error)) return failure;
  const end = failure.message.indexOf(", with args beginning with:");
  return end < 0 ? failure : new Error(failure.message.slice(0, end));
}
