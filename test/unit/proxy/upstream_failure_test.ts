import assert from "node:assert/strict";
import { GatewayError } from "../../../src/errors.ts";
import { upstreamFailure } from "../../../src/proxy/upstream_failure.ts";
import {
  UpstreamError,
  type UpstreamErrorCode,
} from "../../../src/upstream/upstream_error.ts";

/** The gateway's code for each way an exchange fails; null where the client has gone, and gets no answer. */
const CODES: Readonly<Record<UpstreamErrorCode, string | null>> = {
  connect_failed: "runner_unreachable",
  connect_timeout: "runner_timeout",
  tls_failed: "runner_unreachable",
  connection_lost: "runner_unreachable",
  header_timeout: "runner_timeout",
  upload_stalled: "upload_stalled",
  protocol_error: "runner_protocol_error",
  closed: "shutting_down",
  aborted: null,
  body_failed: null,
};

Deno.test("upstreamFailure() has a code for each way an exchange fails, and keeps the cause", () => {
  for (const [code, expected] of Object.entries(CODES)) {
    const failure = new UpstreamError(code as UpstreamErrorCode, "reason");
    const error = upstreamFailure(failure);
    if (expected === null) {
      assert.equal(error, failure);
      continue;
    }
    assert(error instanceof GatewayError);
    assert.deepEqual([error.code, error.message], [expected, "reason"]);
    assert.equal(error.cause, failure);
  }
});

Deno.test("upstreamFailure() leaves every other error alone", () => {
  for (
    const error of [new TypeError(""), new GatewayError("internal", ""), "text"]
  ) assert.equal(upstreamFailure(error), error);
});
