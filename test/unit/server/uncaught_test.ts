import assert from "node:assert/strict";
import { logUncaughtErrors } from "../../../src/server/uncaught.ts";
import { recordedLog } from "../../support/event_log.ts";

Deno.test("uncaught exceptions and unhandled rejections are logged and do not end the process", () => {
  const recorded = recordedLog();
  const error = new Error("Escaped");
  const uncaught = new ErrorEvent("error", { cancelable: true, error });
  const rejection = new PromiseRejectionEvent("unhandledrejection", {
    cancelable: true,
    promise: Promise.resolve(),
    reason: error,
  });
  {
    using _ = logUncaughtErrors(recorded.log);
    globalThis.dispatchEvent(uncaught);
    globalThis.dispatchEvent(rejection);
  }
  assert(uncaught.defaultPrevented && rejection.defaultPrevented);
  assert.deepEqual(recorded.events(), [
    "uncaught exception",
    "unhandled rejection",
  ]);
});
