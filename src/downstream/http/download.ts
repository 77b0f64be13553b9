/** The response to a client: its headers and body as made from an upstream's, and the body on its way. */
import { hasHeader, type HeaderList } from "../../http/headers.ts";
import type { ExchangeEnd } from "../../observability/metrics/facts.ts";
import { freeBuffer } from "../../platform/free_buffer.ts";
import { UNKNOWN_LENGTH } from "../../platform/unknown_length.ts";
import type { BodyReader } from "../../upstream/http1/body_reader.ts";
import {
  discardBody,
  type ResponseBody,
  type UpstreamResponse,
} from "../../upstream/http1/message.ts";
import { type AbortReason, DOWNLOAD_ENDS } from "../ends.ts";
import type { RiskedSocket } from "./leaked_sockets.ts";

/** True for a status without a body (RFC 9110 sections 15.3.5, 15.3.6, 15.4.5), with which Response accepts none. */
export function isBodiless(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

/**
 * The headers that go with {@linkcode clientBody}. Over HTTP/2, a 205 without its body is malformed if it announces a
 * length other than 0 (RFC 9113 section 8.1.1); a 204 has no length, and a 304 may have the selected representation's.
 */
export function clientHeaders(
  status: number,
  headers: [string, string][],
): [string, string][] {
  return status === 205
    ? headers.filter(([name]) => name.toLowerCase() !== "content-length")
    : headers;
}

/** The body that the client gets in response to a request with `method`; one that it does not get is discarded. */
export function clientBody(
  method: string,
  { status, headers, body }: UpstreamResponse,
): ResponseBody {
  if (isBodiless(status)) {
    discardBody(body);
    return null;
  }
  return method === "HEAD" && !hasHeader(headers, "content-length")
    ? UNKNOWN_LENGTH
    : body;
}

/** Creates a response. Appending its headers takes half the time of passing them to the constructor. */
export function createResponse(
  body: BodyInit | null,
  status: number,
  headers: HeaderList,
): Response {
  const response = new Response(body, { status });
  for (const [name, value] of headers) response.headers.append(name, value);
  return response;
}

/** A body on its way. */
export interface Download {
  readonly stream: ReadableStream<Uint8Array>;
  /** Breaks off the transfer on both sides; does nothing once it has ended. */
  abort(reason: AbortReason): void;
  /** Since when the client has not asked for more, ms; undefined while the client waits for the app. */
  stalledSince(): number | undefined;
}

/** Follows a body on its way. */
export interface DownloadObserver {
  /**
   * Called once, with how the transfer ended, how many bytes were passed on, and why: what failed if the upstream did,
   * or why the gateway broke it off.
   */
  onEnd(end: ExchangeEnd, bytes: number, cause?: unknown): void;
  /** Called with each chunk before it is passed on: it is not if the transfer is aborted meanwhile. */
  onChunk?(chunk: Uint8Array): void;
  /** The client's socket, if breaking off its response can cost it. */
  readonly socket?: RiskedSocket | undefined;
  /** Milliseconds. */
  now(): number;
}

/** Passes a body on, chunk by chunk and no faster than it is read. */
export function download(
  body: BodyReader,
  { onEnd, onChunk, now, socket }: DownloadObserver,
): Download {
  let controller: ReadableStreamDefaultController<Uint8Array>;
  let hasEnded = false;
  let bytes = 0;
  let awaitingPullSince: number | undefined = now();
  /** Its memory is released when the next chunk is pulled: by then, the server has taken it over. */
  let lastChunk: Uint8Array | undefined;

  function end(how: ExchangeEnd, cause?: unknown): boolean {
    if (hasEnded) return false;
    hasEnded = true;
    onEnd(how, bytes, cause);
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
        bytes += chunk.length;
        awaitingPullSince = now();
        controller.enqueue(chunk);
      } catch (error) {
        if (!end("upstream_failed", error)) return;
        await socket?.onBreak();
        throw error;
      }
    },
    cancel() {
      socket?.onEnd();
      end("client_gone");
      body.cancel();
    },
  }, { highWaterMark: 0 });

  return {
    stream,
    abort(reason) {
      if (!end(DOWNLOAD_ENDS[reason], reason)) return;
      const mayBreak = socket?.onBreak();
      const breakOff = () => controller.error(new Error(reason));
      if (mayBreak === undefined) breakOff();
      else mayBreak.then(breakOff);
      body.cancel();
    },
    stalledSince: () => awaitingPullSince,
  };
}
