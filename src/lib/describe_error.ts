/**
 * An error's message followed by those of its causes, outermost first, on one line for a log; no stack. A cause that
 * says nothing new is left out, and so is one that is no error: libraries attach whole requests, secrets included.
 */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) {
    return typeof error === "object" ? "not an error" : String(error);
  }
  // An AggregateError, for one, may have no message.
  let text = error.message || error.name;
  for (let { cause } = error; cause instanceof Error; { cause } = cause) {
    const message = cause.message || cause.name;
    if (!text.includes(message)) text += `: ${message}`;
  }
  return text;
}
