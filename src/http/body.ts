/** The body of a response on its way through. */
import type { ExchangeEnd } from "../observability/access_log.ts";
import { release } from "../lib/release.ts";
import type { AbortReason } from "../proxy/in_flight.ts";

/** A body that is being watched. */
export interface ObservedBody {
  readonly stream: ReadableStream<Uint8Array>;
  /** Breaks the transfer off, on both sides. */
  abort(reason: AbortReason): void;
}

/** Passes a body on, chunk by chunk and no faster than it is read, and tells once how it ended and after how many octets. */
export function observe(
  body: ReadableStream<Uint8Array>,
  onEnd: (end: ExchangeEnd, octets: number) => void,
): ObservedBody {
  const reader = body.getReader();
  let controller: ReadableStreamDefaultController<Uint8Array>;
  let hasEnded = false;
  let octets = 0;
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
        if (passed !== undefined) release(passed);
        const { done, value } = await reader.read();
        if (hasEnded) return;
        passed = value;
        if (!done) {
          octets += value.length;
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
      if (!end("aborted")) return;
      controller.error(new Error(reason));
      reader.cancel(reason).catch(() => {});
    },
  };
}
