/** Handles exceptions that nobody caught: a fault in one exchange must not end all the others. */
import { describeError } from "../lib/describe_error.ts";
import type { Logger } from "../observability/log.ts";

/** Logs uncaught errors instead of letting them end the process, until disposed. */
export function logUncaughtErrors(log: Logger): Disposable {
  function report(kind: string, event: Event, error: unknown): void {
    event.preventDefault();
    const cause = error instanceof Error ? error.cause ?? error : undefined;
    const stack = cause instanceof Error ? cause.stack : undefined;
    log.error(kind, { reason: describeError(error), stack });
  }
  const listening = new AbortController();
  const { signal } = listening;
  globalThis.addEventListener("error", (event) => {
    report("uncaught exception", event, event.error);
  }, { signal });
  globalThis.addEventListener("unhandledrejection", (event) => {
    report("unhandled rejection", event, event.reason);
  }, { signal });
  return { [Symbol.dispose]: () => listening.abort() };
}
