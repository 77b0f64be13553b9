/** An error and what caused it, in one line for a log; a stack only where nobody expected it. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  for (let at = error; at !== undefined; at = causeOf(at)) {
    parts.push(at instanceof Error ? at.message : String(at));
  }
  return parts.join(": ");
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}
