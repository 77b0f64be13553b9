import assert from "node:assert/strict";
import { RequestTrace, traceIdIn } from "../../../src/observability/traces.ts";

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const SPAN_ID = "b7ad6b7169203331";
const TRACEPARENT = `00-${TRACE_ID}-${SPAN_ID}-00`;

const TO_APPS = { toApps: true, hasSpans: false };

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

Deno.test("an app is sent a span of our own in the client's trace, sampled as that", () => {
  const trace = new RequestTrace(TRACEPARENT, TO_APPS);
  assert.equal(trace.traceId, TRACE_ID);
  assert.equal(trace.traceparent, undefined);
  trace.beginLeg(REQUEST);
  const [version, traceId, spanId, flags] = `${trace.traceparent}`.split("-");
  assert.deepEqual([version, traceId, flags], ["00", TRACE_ID, "00"]);
  assert.match(`${spanId}`, /^[0-9a-f]{16}$/);
  assert.notEqual(spanId, SPAN_ID);
  trace.endLeg();
});

Deno.test("a request without a trace begins one if its app is to be told, and only then", () => {
  const ids = [null, "nonsense"].map((given) => {
    const trace = new RequestTrace(given, TO_APPS);
    trace.beginLeg(REQUEST);
    const pattern = new RegExp(`^00-${trace.traceId}-[0-9a-f]{16}-01$`);
    assert.match(`${trace.traceparent}`, pattern);
    return trace.traceId;
  });
  assert.equal(new Set(ids).size, 2);
  const untold = new RequestTrace(null, { toApps: false, hasSpans: true });
  untold.beginLeg(REQUEST);
  assert.deepEqual([untold.traceId, untold.traceparent], [
    undefined,
    undefined,
  ]);
});
