/** What is done about an exception that nobody caught: a fault in one exchange must not end all the others. */
import { describeError } from "../lib/describe_error.ts";
import type { EventLog } from "./event_log.ts";

/** Logs what escapes from now on, instead of letting it end the process, until disposed of. */
export function logUncaughtErrors(log: EventLog): Disposable {
  function note(kind: string, event: Event, error: unknown): void {
    event.preventDefault();
    const stack = error instanceof Error ? error.stack : undefined;
    log.error(kind, { reason: describeError(error), stack });
  }
  function onError(event: ErrorEvent): void {
    note("uncaught exception", event, event.error);
  }
  function onRejection(event: PromiseRejectionEvent): void {
    note("unhandled rejection", event, event.reason);
  }
  globalThis.addEventListener("error", onError);
  globalThis.addEventListener("unhandledrejection", onRejection);
  return {
    [Symbol.dispose]() {
      globalThis.removeEventListener("error", onError);
      globalThis.removeEventListener("unhandledrejection", onRejection);
    },
  };
}
