import assert from "node:assert/strict";
import {
  formatRestarts,
  isLossless,
  type RestartResult,
  restartsSummary,
} from "./restart_report.ts";

function resultWith(wrong: Readonly<Record<string, number>>): RestartResult {
  const seen = [{ kind: "tunnel", count: 10, wrong }] as const;
  return { front: "nginx", seen, drainsSec: [25, 26] };
}

Deno.test("restarts: a WebSocket that is sent away by 1001 is no loss, anything else is", () => {
  const away = resultWith({ "closed 1001": 3 });
  assert.equal(isLossless(away), true);
  assert.match(formatRestarts(away), /nginx: ok.*\n.*0 of 10; 3 × 1001/);
  const lost = resultWith({ "closed 1001": 3, "no answer": 1 });
  assert.equal(isLossless(lost), false);
  assert.match(formatRestarts(lost), /LOST.*\n.*1 × no answer of 10/);
  assert.match(restartsSummary([away, lost]), /^Behind nginx, nginx, 1 of 20 /);
});
