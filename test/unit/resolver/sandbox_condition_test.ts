import assert from "node:assert/strict";
import { conditionOf } from "../../../src/resolver/sandbox_condition.ts";

/** What a state is told as, with a wish for another state or without. */
function codeOf(state: string, desiredState: string | null = null) {
  return conditionOf({ state, desiredState, recoverable: false });
}

Deno.test("conditionOf() reads both states: what a sandbox is, and what it is to be", () => {
  assert.equal(codeOf("archived"), "sandbox_archived");
  assert.equal(codeOf("archived", "archived"), "sandbox_archived");
  assert.equal(codeOf("archived", "started"), "sandbox_restoring");
  assert.equal(codeOf("stopped", "archived"), "sandbox_stopped");
  assert.equal(codeOf("stopped", "started"), "sandbox_starting");
  assert.equal(codeOf("paused", "started"), "sandbox_resuming");
  assert.equal(codeOf("started", "paused"), "sandbox_stopping");
});

Deno.test("conditionOf() tells that a sandbox is to be deleted, whatever it is now", () => {
  for (const state of ["started", "stopped", "error", "unheard_of"]) {
    assert.equal(codeOf(state, "destroyed"), "sandbox_destroying");
  }
  assert.equal(codeOf("destroyed", "destroyed"), "sandbox_not_found");
});

Deno.test("conditionOf() does not say that a failed sandbox starts, although that is wanted", () => {
  assert.equal(codeOf("error", "started"), "sandbox_error");
  assert.equal(codeOf("build_failed", "started"), "sandbox_build_failed");
});

Deno.test("conditionOf() says nothing about states that do not explain a refusal", () => {
  for (
    const state of [
      "started",
      "unknown",
      "resizing",
      "snapshotting",
      "forking",
      "constructor",
    ]
  ) {
    for (const desiredState of [null, "started"]) {
      const states = { state, desiredState, recoverable: false };
      assert.equal(conditionOf(states), undefined, state);
    }
  }
});
