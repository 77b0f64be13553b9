import assert from "node:assert/strict";
import {
  ERROR_CODES,
  type ErrorCode,
  type ErrorFacts,
  ERRORS,
} from "../../src/error_codes.ts";

/** Checks by a rule about the facts of each code that one thing is so exactly if another is. */
function assertRule(rule: (facts: ErrorFacts) => readonly [boolean, boolean]) {
  const broken = ERROR_CODES.filter((code) => {
    const [left, right] = rule(ERRORS[code]);
    return left !== right;
  });
  assert.deepEqual(broken, []);
}

Deno.test("a status 5xx is never the client's fault, a 4xx never the operator's, and a bug is 500", () => {
  assertRule(({ status, fault }) => [
    fault === "client" || fault === "sandbox" && status < 500,
    status < 500,
  ]);
  assertRule(({ status, fault }) => [fault === "bug", status === 500]);
});

Deno.test("what is busy, throttled or late may pass, so that its page has a button to try again", () => {
  for (const code of ERROR_CODES) {
    const { status, passes } = ERRORS[code];
    const isLater = status >= 500 || status === 429 || status === 408;
    if (isLater) assert.notEqual(passes, "never", code);
  }
});

Deno.test("exactly the statuses 429 and 503 have a Retry-After by default, and the status 401 a reason", () => {
  assertRule(({ status, retryAfterSec = 0 }) => [
    retryAfterSec > 0,
    status === 429 || status === 503,
  ]);
  assertRule((
    { status, credential },
  ) => [credential !== undefined, status === 401]);
});

Deno.test("a page that waits for a stage reloads by itself, and none of those sends its visitor to Daytona", () => {
  for (const code of ERROR_CODES) {
    const { stage, passes, help } = ERRORS[code];
    if (stage !== undefined) assert.equal(passes, "by_itself", code);
    if (passes === "by_itself") assert.notEqual(help, "dashboard", code);
  }
});

Deno.test("what can be started is not running, does not start by itself, and is starting from then on", () => {
  const startable = ERROR_CODES.filter((code) => ERRORS[code].start);
  assert.ok(startable.length > 0);
  for (const code of startable) {
    const { fault, passes, start } = ERRORS[code];
    assert.deepEqual([fault, passes], ["sandbox", "maybe"], code);
    const next: ErrorCode | undefined = start?.next;
    assert.equal(next && ERRORS[next].stage, "starting", code);
  }
});
