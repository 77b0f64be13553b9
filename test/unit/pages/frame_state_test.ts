import assert from "node:assert/strict";
import { ERROR_CODES, ERRORS } from "../../../src/error_codes.ts";
import { frameState, stateMessage } from "../../../src/pages/frame_state.ts";

/** The codes of each state whose meaning no other fact tells. */
const NAMED = {
  starting: [
    "sandbox_starting",
    "sandbox_resuming",
    "sandbox_restoring",
    "sandbox_pulling",
  ],
  stopped: [
    "sandbox_stopped",
    "sandbox_paused",
    "sandbox_archived",
    "sandbox_error",
    "sandbox_recoverable",
    "sandbox_build_failed",
    "start_refused",
  ],
  ended: [
    "grant_invalid",
    "sandbox_not_found",
    "sandbox_deleted",
    "sandbox_evicted",
    "sandbox_not_placed",
    "sandbox_destroying",
  ],
};

Deno.test("frameState() knows every code: one that passes by itself is waited for, and one that says nothing of the sandbox refuses", () => {
  assert.equal(frameState(null), "ready");
  for (const code of ERROR_CODES) {
    const named = Object.entries(NAMED)
      .find(([, codes]) => codes.includes(code));
    const isWaitedFor = ERRORS[code].passes === "by_itself";
    const expected = named?.[0] ?? (isWaitedFor ? "waiting" : "refused");
    assert.equal(frameState(code), expected, code);
  }
  assert.equal(frameState("port_closed"), "waiting");
  assert.equal(frameState("frame_refused"), "refused");
});

Deno.test("stateMessage() leaves out what is not known", () => {
  const about = { source: "porthole", v: 1, type: "state" };
  const closed = { code: "port_closed", port: 3000, retryAfterSec: 2 } as const;
  assert.deepEqual(stateMessage(closed), {
    ...about,
    state: "waiting",
    ...closed,
  });
  assert.equal(
    JSON.stringify(stateMessage({ code: null })),
    JSON.stringify({ ...about, state: "ready", code: null }),
  );
});
