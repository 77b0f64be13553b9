/** The body of a response on its way to the client. */
import type { ExchangeEnd } from "../observability/metrics/facts.ts";
import { freeBuffer } from "../platform/free_buffer.ts";
import type { AbortReason } from "../proxy/in_flight.ts";
import type { BodyReader } from "../upstream/http1/body_reader.ts";

/** A body on its way. */
export interface Download {
  readonly stream: ReadableStream<Uint8Array>;
  /** Breaks off the transfer on both sides; does nothing once it has ended. */
  abort(reason: AbortReason): void;
  /** Since when the client has not asked for more, ms; undefined while the client waits for the app. */
  stalledSince(): number | undefined;
}

/** What follows a body on its way. */
export interface DownloadObserver {
  /** Called once, with how the transfer ended, how many bytes were passed on, and what failed if the upstream did. */
  onEnd(end: ExchangeEnd, bytes: number, error?: unknown): void;
  /** Milliseconds. */
  now(): number;
}

const ABORTED_ENDS: Readonly<Record<AbortReason, ExchangeEnd>> = {
  going_away: "aborted",
  access_revoked: "aborted",
  stalled: "client_stalled",
};

/** Passes a body on, chunk by chunk and no faster than it is read. */
export function download(
  body: BodyReader,
  { onEnd, now }: DownloadObserver,
): Download {
  let controller: ReadableStreamDefaultController<Uint8Array>;
  let hasEnded = false;
  let bytes = 0;
  let awaitingPullSince: number | undefined = now();
  /** Its memory is released when the next chunk is pulled: by then, the server has taken it over. */
  let lastChunk: Uint8Array | undefined;

  function end(how: ExchangeEnd, error?: unknown): boolean {
    if (hasEnded) return false;
    hasEnded = true;
    onEnd(how, bytes, error);
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
        bytes += chunk.length;
        awaitingPullSince = now();
        controller.enqueue(chunk);
      } catch (error) {
        if (end("upstream_failed", error)) throw error;
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
