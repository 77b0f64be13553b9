import assert from "node:assert/strict";
import {
  type StatusVerdict,
  verdictOn,
} from "../../src/daytona/api_request.ts";

Deno.test("verdictOn() takes only 200, 201 and refusals for definite", () => {
  const expected: Record<StatusVerdict, number[]> = {
    yes: [200, 201],
    no: [400, 403, 404, 410, 422, 499],
    again: [408, 500, 502, 503, 504, 599],
    failed: [101, 202, 204, 206, 301, 302, 304, 307, 308, 429],
  };
  for (const [verdict, statuses] of Object.entries(expected)) {
    for (const status of statuses) {
      assert.equal(verdictOn(status, "gateway"), verdict, `${status}`);
      assert.equal(verdictOn(status, "user"), verdict, `${status}`);
    }
  }
});

Deno.test("verdictOn() takes 401 for the user's answer, and for a fault of the gateway's own key", () => {
  assert.equal(verdictOn(401, "user"), "no");
  assert.equal(verdictOn(401, "gateway"), "failed");
});
