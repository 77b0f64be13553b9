/** The body of a response on its way through. */
import type { ExchangeEnd } from "../observability/access_log.ts";
import { release } from "../lib/release.ts";
import type { AbortReason } from "../proxy/in_flight.ts";

/** A body that is being watched. */
export interface ObservedBody {
  readonly stream: ReadableStream<Uint8Array>;
  /** Breaks the transfer off, on both sides. */
  abort(reason: AbortReason): void;
  /** Since when the client has not asked for more, ms; undefined where it waits for the app. */
  stalledSince(): number | undefined;
}

/** Who watches a body. */
export interface BodyObserver {
  /** Told once how it ended, and after how many octets. */
  onEnd(end: ExchangeEnd, octets: number): void;
  /** Milliseconds. */
  now(): number;
}

const ENDS: Readonly<Record<AbortReason, ExchangeEnd>> = {
  going_away: "aborted",
  access_revoked: "aborted",
  stalled: "client_stalled",
};

/** Passes a body on, chunk by chunk and no faster than it is read. */
export function observe(
  body: ReadableStream<Uint8Array>,
  { onEnd, now }: BodyObserver,
): ObservedBody {
  const reader = body.getReader();
  let controller: ReadableStreamDefaultController<Uint8Array>;
  let hasEnded = false;
  let octets = 0;
  let handedOutAt: number | undefined = now();
  /** The chunk before: when the next one is asked for, it was taken over by whoever writes it. */
  let passed: Uint8Array | undefined;

  function end(how: ExchangeEnd): boolean {
    if (hasEnded) return false;
    hasEnded = true;
    onEnd(how, octets);
    return true;
  }

  const stream = new ReadableStream<Uint8Array>({
    start(given) {
      controller = given;
    },
    async pull() {
      try {
        handedOutAt = undefined;
        if (passed !== undefined) release(passed);
        const { done, value } = await reader.read();
        if (hasEnded) return;
        passed = value;
        if (!done) {
          octets += value.length;
          handedOutAt = now();
          return controller.enqueue(value);
        }
        end("complete");
        controller.close();
      } catch (error) {
        if (end("upstream_failed")) throw error;
      }
    },
    cancel(reason) {
      end("client_gone");
      return reader.cancel(reason);
    },
  }, { highWaterMark: 0 });

  return {
    stream,
    abort(reason) {
      if (!end(ENDS[reason])) return;
      controller.error(new Error(reason));
      reader.cancel(reason).catch(() => {});
    },
    stalledSince: () => handedOutAt,
  };
}
