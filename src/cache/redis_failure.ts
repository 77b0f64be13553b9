/** What a failed command says. */

/** Whether the server answered with that error code. */
export function hasErrorCode(
  failure: unknown,
  code: "READONLY" | "WRONGTYPE",
): boolean {
  return failure instanceof Error && failure.message.startsWith(`${code} `);
}

/** A failure without what Redis repeats of a command that it does not know: that may be a password, or a value. */
export function withoutArguments(failure: unknown): unknown {
  if (!(failure instanceof Error)) return failure;
  const end = failure.message.indexOf(", with args beginning with:");
  return end < 0 ? failure : new Error(failure.message.slice(0, end));
}
