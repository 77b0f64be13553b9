/** An error's message followed by those of its causes, outermost first, on one line for a log; no stack. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  for (let current = error; current !== undefined; current = causeOf(current)) {
    parts.push(current instanceof Error ? current.message : String(current));
  }
  return parts.join(": ");
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}
