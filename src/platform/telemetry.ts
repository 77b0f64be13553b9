/** Deno's own OpenTelemetry (`OTEL_DENO=true`): the spans that it makes for what it serves, and ours below them. */

/** What the gateway uses of a span (OpenTelemetry's API for JavaScript). */
export interface Span {
  spanContext(): {
    readonly traceId: string;
    readonly spanId: string;
    readonly traceFlags: number;
  };
  end(): void;
}

/** OpenTelemetry's `SpanKind.CLIENT`. */
const CLIENT = 2;

const SPAN_KEY = Symbol.for("OpenTelemetry Context Key SPAN");

/** The span that the caller is part of; undefined if there is none. */
export function activeSpan(): Span | undefined {
  return Deno.telemetry.contextManager.active().getValue(SPAN_KEY);
}

/** Starts a span below that of the caller, of something that is asked elsewhere. */
export function startClientSpan(
  name: string,
  attributes: Readonly<Record<string, string>>,
): Span {
  return Deno.telemetry.tracerProvider.getTracer("porthole")
    .startSpan(name, { kind: CLIENT, attributes });
}
