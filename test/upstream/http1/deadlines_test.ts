import assert from "node:assert/strict";
import { Deadlines } from "../../../src/upstream/http1/deadlines.ts";
import { UpstreamError } from "../../../src/upstream/upstream_error.ts";

function failable(): {
  reasons: UpstreamError[];
  fail(reason: UpstreamError): void;
} {
  const reasons: UpstreamError[] = [];
  return { reasons, fail: (reason) => void reasons.push(reason) };
}

Deno.test("Deadlines fails what is overdue, once, and nothing else", () => {
  const deadlines = new Deadlines({ ms: 100, code: "header_timeout" });
  const [first, second, stopped] = [failable(), failable(), failable()];
  deadlines.add(first, 0);
  deadlines.add(stopped, 10);
  deadlines.add(second, 50);
  deadlines.delete(stopped);

  deadlines.expire(99);
  assert.equal(first.reasons.length, 0);
  deadlines.expire(100);
  deadlines.expire(120);
  assert.deepEqual(first.reasons.map((reason) => reason.code), [
    "header_timeout",
  ]);
  assert.equal(second.reasons.length, 0);
  assert.equal(stopped.reasons.length, 0);
  assert.equal(deadlines.size, 1);
});

Deno.test("Deadlines with a timeout of 0 fails nothing by time", () => {
  const deadlines = new Deadlines({ ms: 0, code: "connect_timeout" });
  const item = failable();
  deadlines.add(item, 0);
  deadlines.expire(Number.MAX_SAFE_INTEGER);
  assert.equal(item.reasons.length, 0);
});

Deno.test("Deadlines.clear() fails everything for the reason given", () => {
  const deadlines = new Deadlines({ ms: 0, code: "connect_timeout" });
  const item = failable();
  const reason = new UpstreamError("closed", "over");
  deadlines.add(item, 0);
  deadlines.clear(reason);
  assert.deepEqual(item.reasons, [reason]);
  assert.equal(deadlines.size, 0);
});
