/** The body of a response on its way to the client. */
import type { ExchangeEnd } from "../observability/metrics/facts.ts";
import { freeBuffer } from "../platform/free_buffer.ts";
import type { AbortReason } from "../proxy/in_flight.ts";
import type { BodyReader } from "../upstream/http1/body_reader.ts";

/** A body that is being observed. */
export interface ObservedBody {
  readonly stream: ReadableStream<Uint8Array>;
  /** Breaks off the transfer on both sides; does nothing once it has ended. */
  abort(reason: AbortReason): void;
  /** Since when the client has not asked for more, ms; undefined while the client waits for the app. */
  stalledSince(): number | undefined;
}

/** What observes a body. */
export interface BodyObserver {
  /** Called once, with how the transfer ended and how many octets were passed on. */
  onEnd(end: ExchangeEnd, octets: number): void;
  /** Milliseconds. */
  now(): number;
}

const ABORTED_ENDS: Readonly<Record<AbortReason, ExchangeEnd>> = {
  going_away: "aborted",
  access_revoked: "aborted",
  stalled: "client_stalled",
};

/** Passes a body on, chunk by chunk and no faster than it is read. */
export function observe(
  body: BodyReader,
  { onEnd, now }: BodyObserver,
): ObservedBody {
  let controller: ReadableStreamDefaultController<Uint8Array>;
  let hasEnded = false;
  let octets = 0;
  let awaitingPullSince: number | undefined = now();
  /** Its memory is released when the next chunk is pulled: by then, the server has taken it over. */
  let lastChunk: Uint8Array | undefined;

  function end(how: ExchangeEnd): boolean {
    if (hasEnded) return false;
    hasEnded = true;
    onEnd(how, octets);
    return true;
  }

  const stream = new ReadableStream<Uint8Array>({
    start(streamController) {
      controller = streamController;
    },
    async pull() {
      try {
        awaitingPullSince = undefined;
        if (lastChunk !== undefined) freeBuffer(lastChunk);
        const chunk = await body.read();
        if (hasEnded) return;
        if (chunk === null) {
          end("complete");
          return controller.close();
        }
        lastChunk = chunk;
        octets += chunk.length;
        awaitingPullSince = now();
        controller.enqueue(chunk);
      } catch (error) {
        if (end("upstream_failed")) throw error;
      }
    },
    cancel() {
      end("client_gone");
      body.cancel();
    },
  }, { highWaterMark: 0 });

  return {
    stream,
    abort(reason) {
      if (!end(ABORTED_ENDS[reason])) return;
      controller.error(new Error(reason));
      body.cancel();
    },
    stalledSince: () => awaitingPullSince,
  };
}
