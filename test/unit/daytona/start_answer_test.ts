import assert from "node:assert/strict";
import { startAnswerOf } from "../../../src/daytona/start_answer.ts";

Deno.test("startAnswerOf() tells what concerns the user from what concerns the sandbox, where the API has one status for both", () => {
  const cases: [status: number, message: string | undefined, kind: string][] = [
    [200, undefined, "started"],
    [201, undefined, "started"],
    [409, "Sandbox state change in progress", "under_way"],
    [401, "Invalid credentials", "not_allowed"],
    [403, "Access denied", "not_allowed"],
    [403, "Invalid authentication context", "not_allowed"],
    [403, undefined, "not_allowed"],
    [404, "Sandbox with ID or name x not found", "not_allowed"],
    [403, "Organization is suspended: Payment method required", "refused"],
    [403, "Region us is not available to the organization", "refused"],
    [402, "Payment required", "refused"],
    [400, "Total CPU limit exceeded. Maximum allowed: 0.", "refused"],
    [400, "Sandbox is in an errored state", "refused"],
    [422, "Resuming is not supported for this sandbox", "refused"],
    [400, undefined, "refused"],
  ];
  for (const [status, message, kind] of cases) {
    const answer = startAnswerOf(status, message && { message });
    assert.equal(answer.kind, kind, `${status} ${message}`);
    if ("reason" in answer) {
      assert.equal(answer.reason, message ?? `status ${status}`);
    }
  }
});

Deno.test("startAnswerOf() keeps no endless reason, and none that is no text", () => {
  const endless = startAnswerOf(400, { message: "x".repeat(100_000) });
  assert.ok("reason" in endless && endless.reason.length === 500);
  for (const body of [null, undefined, "text", { message: { a: 1 } }, []]) {
    assert.deepEqual(startAnswerOf(400, body), {
      kind: "refused",
      reason: "status 400",
    });
  }
});
