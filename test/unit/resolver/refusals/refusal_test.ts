import assert from "node:assert/strict";
import { GatewayError } from "../../../../src/errors.ts";
import { failedExchange } from "../../../../src/resolver/refusals/refusal.ts";
import {
  UpstreamError,
  type UpstreamErrorCode,
} from "../../../../src/upstream/upstream_error.ts";

/** What each way an exchange fails says, with the gateway's code; null where the client has gone, and gets no answer. */
const FAILURES: Readonly<Record<UpstreamErrorCode, [string, string | null]>> = {
  unresponsive: ["not_reached", "runner_unresponsive"],
  busy: ["final", "runner_overloaded"],
  sandbox_busy: ["final", "sandbox_overloaded"],
  connect_failed: ["not_reached", "runner_unreachable"],
  connect_timeout: ["not_reached", "runner_timeout"],
  tls_failed: ["not_reached", "runner_unreachable"],
  connection_lost: ["dropped", "runner_unreachable"],
  header_timeout: ["final", "runner_timeout"],
  upload_stalled: ["final", "upload_stalled"],
  protocol_error: ["dropped", "runner_protocol_error"],
  closed: ["final", "shutting_down"],
  aborted: ["final", null],
  body_failed: ["final", null],
};

Deno.test("failedExchange() has a code for each way an exchange fails, and keeps the cause", () => {
  for (const [code, [kind, expected]] of Object.entries(FAILURES)) {
    const failure = new UpstreamError(code as UpstreamErrorCode, "reason");
    const refusal = failedExchange(failure);
    assert.equal(refusal.kind, kind);
    const { error } = refusal;
    if (expected === null) {
      assert.equal(error, failure);
      continue;
    }
    assert(error instanceof GatewayError);
    assert.deepEqual([error.code, error.message], [expected, "reason"]);
    assert.equal(error.cause, failure);
  }
});

Deno.test("failedExchange() throws every other error as it is", () => {
  for (
    const error of [new TypeError("a bug"), new GatewayError("internal", "")]
  ) assert.throws(() => failedExchange(error), error);
});
