/** A response's body on its way to the client, chunk by chunk. */
import { describeError } from "../../lib/describe_error.ts";
import type { ExchangeEnd } from "../../observability/metrics/facts.ts";
import { freeBuffer } from "../../platform/free_buffer.ts";
import type { BodyReader } from "../../stream/body_reader.ts";
import { type AbortReason, isClientGone } from "../ends.ts";
import type { RiskedSocket } from "./leaked_sockets.ts";

export interface Download {
  readonly stream: ReadableStream<Uint8Array>;
  /** Breaks off the transfer on both sides; does nothing once it has ended. */
  abort(reason: AbortReason): void;
  /** Since when the client has not asked for more, ms; undefined while the client waits for the app. */
  stalledSince(): number | undefined;
}

export interface StreamEnd {
  readonly end: ExchangeEnd;
  /** Why it did not end completely, for logs: what failed, or why the gateway broke it off. */
  readonly reason: string | undefined;
  readonly sentBytes: number;
}

interface DownloadObserver {
  /** Called once. */
  onEnd(end: StreamEnd): void;
  /** Called with each chunk before it is passed on: it is not if the transfer is aborted meanwhile. */
  onChunk?(chunk: Uint8Array): void;
  /** The client's socket, if breaking off its response can cost it. */
  readonly socket?: RiskedSocket | undefined;
  now(): number;
}

/** Passes a body on, chunk by chunk and no faster than it is read. */
export function download(
  body: BodyReader,
  { onEnd, onChunk, now, socket }: DownloadObserver,
): Download {
  let controller: ReadableStreamDefaultController<Uint8Array>;
  let hasEnded = false;
  let isCancelled = false;
  let sentBytes = 0;
  let awaitingPullSince: number | undefined = now();
  /** Its memory is released when the next chunk is pulled: by then, the server has taken it over. */
  let lastChunk: Uint8Array | undefined;

  function end(how: ExchangeEnd, cause?: unknown): boolean {
    if (hasEnded) return false;
    hasEnded = true;
    const isGone = how === "upstream_failed" && isClientGone(cause);
    const reason = isGone || cause === undefined
      ? undefined
      : describeError(cause);
    onEnd({ end: isGone ? "client_gone" : how, reason, sentBytes });
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
          socket?.onEnd();
          return controller.close();
        }
        onChunk?.(chunk);
        if (hasEnded) return;
        lastChunk = chunk;
        sentBytes += chunk.length;
        awaitingPullSince = now();
        controller.enqueue(chunk);
      } catch (error) {
        if (!end("upstream_failed", error)) return;
        await socket?.onBreak();
        breakOff(error);
      }
    },
    cancel() {
      isCancelled = true;
      socket?.onEnd();
      end("client_gone");
      body.cancel();
    },
  }, { highWaterMark: 0 });

  /** Has the client see that it is not complete, unless its upload can only be ended by a response that is. */
  function breakOff(reason: unknown): void {
    if (isCancelled) return; // the client has left meanwhile
    if (socket?.mustComplete) controller.close();
    else controller.error(reason);
  }

  return {
    stream,
    abort(reason) {
      const how = reason === "stalled" ? "client_stalled" : "aborted";
      if (!end(how, reason)) return;
      const mayBreak = socket?.onBreak();
      const error = new Error(reason);
      if (mayBreak === undefined) breakOff(error);
      else mayBreak.then(() => breakOff(error));
      body.cancel();
    },
    stalledSince: () => awaitingPullSince,
  };
}
