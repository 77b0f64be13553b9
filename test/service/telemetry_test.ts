/** Spans of Deno's OpenTelemetry, as a collector gets them. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { listenOnLoopback } from "../../scripts/stand_in/loopback.ts";
import { startStack } from "../../scripts/stand_in/stack.ts";
import { DEMO } from "../support/gateway.ts";
import { startProcess } from "../support/process.ts";

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string };
}

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: readonly Attribute[];
}

interface Exported {
  readonly resourceSpans?: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

/** The spans of a gateway that is asked for the paths, and what its log and its app say of them. */
async function observe(
  environment: Readonly<Record<string, string>>,
  paths: readonly string[],
) {
  const spans: Span[] = [];
  await using collector = await listenOnLoopback(
    createServer(async (request, response) => {
      const { resourceSpans = [] } = await json(request) as Exported;
      const scopes = resourceSpans.flatMap(({ scopeSpans }) => scopeSpans);
      spans.push(...scopes.flatMap((scope) => scope.spans));
      response.setHeader("content-type", "application/json").end("{}");
    }),
  );
  await using stack = await startStack();
  await using gateway = await startProcess({
    environment: {
      ...stack.environment,
      PROXY_PORT: "0",
      SHUTDOWN_DELAY_SEC: "0",
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_METRICS_EXPORTER: "none",
      ...environment,
    },
  });
  const told: string[] = [];
  for (const path of paths) {
    const answer = await gateway.ask(DEMO, { path });
    assert.equal(answer.status, 200);
    told.push(answer.echoed().get("traceparent") ?? "none");
  }
  assert.equal((await gateway.stop()).code, 0);
  const logged = gateway.logs.filter(({ message }) => message === "request")
    .map(({ traceId }) => traceId);
  return { spans, told, logged };
}

function attributesOf({ attributes }: Span): Map<string, string | undefined> {
  return new Map(attributes.map(({ key, value }) => [key, value.stringValue]));
}

Deno.test("with TRACE_APPS, the app is below a span of the gateway's, which is below Deno's, and the log names their trace", async () => {
  const { spans, told, logged } = await observe({ TRACE_APPS: "true" }, [
    "/echo?secret=1",
  ]);
  const [, traceId, spanId, flags] = `${told[0]}`.split("-");
  assert.deepEqual([logged, flags], [[traceId], "01"]);
  const leg = spans.find((span) => span.spanId === spanId) ?? assert.fail();
  assert.deepEqual([leg.name, leg.traceId], ["app", traceId]);
  const attributes = attributesOf(leg);
  assert.equal(attributes.get("porthole.sandbox"), "demo");
  assert.equal(attributes.get("porthole.port"), "3000");
  assert.doesNotMatch(JSON.stringify(leg), /secret|localhost/);
  const served = spans.find((span) => span.spanId === leg.parentSpanId);
  assert.equal(served?.traceId, traceId);
});

Deno.test("without TRACE_APPS, the log names the trace of Deno's span, and the app hears nothing of it", async () => {
  const { spans, told, logged } = await observe({}, ["/echo"]);
  assert.deepEqual(told, ["none"]);
  assert(spans.some(({ traceId }) => traceId === logged[0]));
  assert(!spans.some(({ name }) => name === "app"));
});
