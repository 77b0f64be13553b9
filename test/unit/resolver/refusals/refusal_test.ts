import assert from "node:assert/strict";
import { GatewayError } from "../../../../src/errors.ts";
import { StreamError } from "../../../../src/stream/stream_error.ts";
import { failedExchange } from "../../../../src/resolver/refusals/refusal.ts";
import {
  UpstreamError,
  type UpstreamErrorCode,
} from "../../../../src/upstream/upstream_error.ts";

/** What each way an exchange fails says, with the gateway's code. */
const FAILURES: Readonly<Record<UpstreamErrorCode, [string, string]>> = {
  unresponsive: ["not_reached", "runner_unresponsive"],
  busy: ["final", "runner_overloaded"],
  sandbox_busy: ["final", "sandbox_overloaded"],
  connect_failed: ["not_reached", "runner_unreachable"],
  no_descriptors: ["final", "overloaded"],
  connect_timeout: ["not_reached", "runner_timeout"],
  tls_failed: ["not_reached", "runner_unreachable"],
  connection_lost: ["dropped", "runner_unreachable"],
  header_timeout: ["final", "runner_timeout"],
  upload_stalled: ["final", "upload_stalled"],
  protocol_error: ["dropped", "runner_protocol_error"],
  closed: ["final", "shutting_down"],
};

Deno.test("failedExchange() has a code for each way an exchange fails, and keeps the cause", () => {
  for (const [code, [kind, expected]] of Object.entries(FAILURES)) {
    const failure = new UpstreamError(code as UpstreamErrorCode, "reason");
    const refusal = failedExchange(failure);
    assert.equal(refusal.kind, kind);
    const { error } = refusal;
    assert(error instanceof GatewayError);
    assert.deepEqual([error.code, error.message], [expected, "reason"]);
    assert.equal(error.cause, failure);
  }
});

Deno.test("failedExchange() passes on that a client has gone, who gets no answer", () => {
  for (const code of ["aborted", "source_failed"] as const) {
    const failure = new StreamError(code, "reason");
    const { kind, error } = failedExchange(failure);
    assert.deepEqual([kind, error], ["final", failure]);
  }
});

Deno.test("failedExchange() throws every other error as it is", () => {
  for (
    const error of [new TypeError("a bug"), new GatewayError("internal", "")]
  ) assert.throws(() => failedExchange(error), error);
});
