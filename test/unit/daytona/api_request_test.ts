import assert from "node:assert/strict";
import {
  classifyStatus,
  type StatusClass,
} from "../../../src/daytona/api_attempt.ts";

Deno.test("classifyStatus() takes only 200, 201 and refusals for definite answers", () => {
  const expected: Record<StatusClass, number[]> = {
    yes: [200, 201],
    no: [400, 403, 404, 410, 422, 499],
    retry: [408, 500, 502, 503, 504, 599],
    failed: [101, 202, 204, 206, 301, 302, 304, 307, 308, 429],
  };
  for (const [kind, statuses] of Object.entries(expected)) {
    for (const status of statuses) {
      assert.equal(classifyStatus(status, "own"), kind, `${status}`);
      assert.equal(classifyStatus(status, "user"), kind, `${status}`);
    }
  }
});

Deno.test("classifyStatus() takes 401 for a refusal of the user, but for a failure with the gateway's own key", () => {
  assert.equal(classifyStatus(401, "user"), "no");
  assert.equal(classifyStatus(401, "own"), "failed");
});
