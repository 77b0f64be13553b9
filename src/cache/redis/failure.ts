/** Errors of Redis commands. */

/** Whether the server replied with that error code. */
export function hasErrorCode(
  failure: unknown,
  code: "READONLY" | "WRONGTYPE",
): boolean {
  return failure instanceof Error && failure.message.startsWith(`${code} `);
}

/** Removes the arguments that Redis quotes in its error for an unknown command: they may hold a password or a value. */
export function withoutArguments(failure: unknown): unknown {
  if (!(failure instanceof Error)) return failure;
  const end = failure.message.indexOf(", with args beginning with:");
  return end < 0 ? failure : new Error(failure.message.slice(0, end));
}
