/** Traces (W3C Trace Context, level 1): which one a request is part of, and the span of its way to the app. */
import {
  activeSpan,
  type Span,
  startClientSpan,
} from "../platform/telemetry.ts";

/** `version-traceid-parentid-flags`; the ids are not all zeros, and a later version may have more. */
const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;

/** The id of the trace that a `traceparent` names; undefined if it is not valid. */
export function traceIdIn(traceparent: string | null): string | undefined {
  return traceparent === null ? undefined : TRACEPARENT.exec(traceparent)?.[1];
}

/** The request whose way to the app a span is about. */
interface TracedRequest {
  readonly id: string;
  readonly method: string;
  readonly sandboxId: string;
  readonly sandboxPort: number | string;
}

/** The trace of a request of which Deno makes a span: of the one that the caller has just been given. */
export class RequestTrace {
  /** Undefined if the span is not recorded. */
  readonly traceId: string | undefined = idsOf(activeSpan())?.traceId;
  /** What the app is sent, from the begin of the leg on; undefined for what the client sent. */
  traceparent: string | undefined;
  readonly #toApps: boolean;
  #leg: Span | undefined;

  /** `toApps` if the app is to be sent a `traceparent` of ours. */
  constructor(toApps: boolean) {
    this.#toApps = toApps;
  }

  /** Begins the request's way to the app. The span says which sandbox, and never an address, which may hold a token. */
  beginLeg({ id, method, sandboxId, sandboxPort }: TracedRequest): void {
    if (!this.#toApps || this.traceId === undefined) return;
    this.#leg = startClientSpan("app", {
      "http.request.method": method,
      "porthole.request_id": id,
      "porthole.sandbox": sandboxId,
      "porthole.port": String(sandboxPort),
    });
    const ids = idsOf(this.#leg);
    if (ids === undefined) return;
    this.traceparent = `00-${ids.traceId}-${ids.spanId}-${ids.flags}`;
  }

  /** Ends the span, once the response has begun or none will. */
  endLeg(): void {
    this.#leg?.end();
  }
}

/** What a span is known by; undefined if there is none, or it is not recorded. */
function idsOf(span: Span | undefined) {
  if (span === undefined) return undefined;
  const { traceId, spanId, traceFlags } = span.spanContext();
  if (/^0*$/.test(traceId)) return undefined;
  return { traceId, spanId, flags: traceFlags === 1 ? "01" : "00" };
}
