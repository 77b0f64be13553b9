import assert from "node:assert/strict";
import { RequestTrace, traceIdIn } from "../../../src/observability/traces.ts";

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const SPAN_ID = "b7ad6b7169203331";
const TRACEPARENT = `00-${TRACE_ID}-${SPAN_ID}-00`;

const REQUEST = {
  id: "r",
  method: "GET",
  sandboxId: "box",
  sandboxPort: 3000,
};

Deno.test("traceIdIn() reads the id of a traceparent of any version, if it is valid", () => {
  assert.equal(traceIdIn(TRACEPARENT), TRACE_ID);
  assert.equal(traceIdIn(`01-${TRACE_ID}-${SPAN_ID}-01-more`), TRACE_ID);
  const invalid = [
    null,
    "",
    `ff-${TRACE_ID}-${SPAN_ID}-01`,
    `00-${"0".repeat(32)}-${SPAN_ID}-01`,
    `00-${TRACE_ID}-${"0".repeat(16)}-01`,
    `00-${TRACE_ID.toUpperCase()}-${SPAN_ID}-01`,
    `00-${TRACE_ID}-${SPAN_ID}`,
    `00-${TRACE_ID}-${SPAN_ID}-01"`,
  ];
  for (const text of invalid) assert.equal(traceIdIn(text), undefined);
});

Deno.test("where no span is recorded, a request has no trace of ours, and its app is sent none", () => {
  for (const toApps of [true, false]) {
    const trace = new RequestTrace(toApps);
    trace.beginLeg(REQUEST);
    assert.equal(trace.traceId, undefined);
    assert.equal(trace.traceparent, undefined);
    trace.endLeg();
  }
});
